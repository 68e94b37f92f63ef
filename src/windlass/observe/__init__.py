"""What a server tells of itself: figures, traces."""
