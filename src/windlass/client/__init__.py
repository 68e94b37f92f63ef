"""The typed client of a server."""
