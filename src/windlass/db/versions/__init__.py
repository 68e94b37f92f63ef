"""Alembic's revisions: one for each migration, by its number."""
