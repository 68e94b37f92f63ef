"""Takes a server's tables along when somebody asks for it, and says what that does."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from windlass.db.lineage import read_version, upgrade
from windlass.db.migrations import MIGRATIONS
from windlass.db.server_database import open_engine
from windlass.errors import PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Step:
    """One migration: the version it leads to, and its statements."""

    version: int
    statements: Sequence[str]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which version to which, by which steps."""

    before: int
    after: int
    steps: Sequence[Step]


def migrate(address: str, *, dry_run: bool) -> Upgrade:
    """Carry out the migrations that are missing, or do so and take them back.

    Raises:
        PlatformError: that fails, and the tables are as they were; or they are of a newer Windlass.
    """
    engine = open_engine(address)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            before = upgrade(connection)
            after = read_version(connection)
            if dry_run:
                transaction.rollback()
    except SQLAlchemyError as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        name = engine.url.render_as_string(hide_password=True)
        raise PlatformError(
            f"the database {name} cannot be brought up to date: {reason}",
            hint="its tables are as they were",
        ) from error
    finally:
        engine.dispose()
    versions = range(before + 1, after + 1)
    return Upgrade(before, after, [Step(it, describe_migration(it)) for it in versions])


def describe_migration(version: int) -> list[str]:
    """Return the statements that lead to a version, as people read them."""
    return [textwrap.dedent(statement).strip() for statement in MIGRATIONS[version - 1]]
