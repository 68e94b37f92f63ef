"""The command line: thin over `windlass.operations`."""
