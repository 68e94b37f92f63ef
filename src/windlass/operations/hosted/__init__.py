"""What can be done with a server: one file per noun, one function per use case."""
