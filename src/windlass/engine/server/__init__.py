"""Runs of a server: each signal and all that it leads to in one transaction of its database."""
