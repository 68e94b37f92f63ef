"""Values that are kept sealed."""
