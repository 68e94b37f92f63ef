"""What Windlass can do: one file per noun, one function per use case."""
