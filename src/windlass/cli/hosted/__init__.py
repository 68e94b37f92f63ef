"""The command line against a server: the same words as for a repository's own history."""
