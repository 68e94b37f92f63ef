"""Settings, read once at the edge, each with its origin."""
