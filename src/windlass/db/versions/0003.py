"""Artifacts."""

from windlass.db.lineage import carry_out

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    carry_out(3)
