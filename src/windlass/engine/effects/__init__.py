"""Carries out what has to be done outside of a transaction: once it is committed, at least once."""
