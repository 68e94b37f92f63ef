"""Runs, their attempts and journals, and who is in which concurrency group."""

from windlass.db.lineage import carry_out

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    carry_out(1)
