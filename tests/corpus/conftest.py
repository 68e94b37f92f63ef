"""Keeps pytest out of the synthetic repository, which has tests of its own."""

collect_ignore = ["ok"]
