"""A machine that takes jobs from a server and runs them."""
