"""The nouns every room shares: statuses and results. Frozen and pure."""
