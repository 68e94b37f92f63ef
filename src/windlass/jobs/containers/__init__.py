"""The containers that a workflow asks for: read from its keys, made, watched and removed."""
