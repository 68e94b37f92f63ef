"""What people and programs tell a server, and what it answers: version 1 of the API, by noun.

Versions are told apart in `docs/reference/api.md`. The models are pydantic's: only what talks to a
server imports them.
"""
