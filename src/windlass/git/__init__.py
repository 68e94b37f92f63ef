"""What we ask of Git: facts about a checkout, trees, a job's own `.git`."""
