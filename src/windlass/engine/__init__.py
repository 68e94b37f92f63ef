"""The driver: signals in, orders out, one journal."""
