"""The workflow language, pure: positions, syntax, schema, expressions, commands, lint."""
