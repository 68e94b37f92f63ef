"""The queue of a server, its inbox, and what its runs tell."""

from windlass.db.lineage import carry_out

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    carry_out(5)
