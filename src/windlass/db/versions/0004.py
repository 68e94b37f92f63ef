"""Where a cache was saved."""

from windlass.db.lineage import carry_out

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    carry_out(4)
