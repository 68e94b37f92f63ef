"""What a checkout puts into a job's workspace: bases, and the ways to serve them."""
