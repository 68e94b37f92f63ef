"""What may stand where in a workflow or an action file, as typed data."""
