"""Caches."""

from windlass.db.lineage import carry_out

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    carry_out(2)
