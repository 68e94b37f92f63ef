"""A workflow file as typed data: `model` holds the types, `reading` makes them from a file."""
