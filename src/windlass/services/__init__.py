"""What a job talks to while it runs: artifacts, caches, identity tokens, its repository's facts."""
