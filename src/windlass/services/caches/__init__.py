"""The cache of a repository's runs: archives under keys that never change once they are written."""
