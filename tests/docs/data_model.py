"""Lays out docs/reference/data-model.md from the migrations and the tables that they make."""

from __future__ import annotations

import importlib
import re
import sqlite3
from typing import TYPE_CHECKING

from windlass.db.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# The data model

Generated from the migrations; `./dev docs` rewrites it. Local history and servers share these
tables: history is a file of SQLite, a server keeps them in SQLite or PostgreSQL (where `REAL` is
`DOUBLE PRECISION`). What a server needs besides is empty in local history.

Points in time are seconds since the epoch (UTC). `windlass up` brings tables up to date when it
starts; `windlass migrate --dry-run` says what that does, and `windlass backup` belongs before it.
A newer database is refused by an older Windlass, and there is no way back but a backup.

Where DBOS is asked for, it keeps its own tables elsewhere: see
[effects](../decisions/effects.md). They belong to no version of these, and to no backup.
"""

MEANINGS = {
    "access_tokens": "Tokens of people and programs; of each the digest alone.",
    "announcements": "What onlookers of an attempt were told but output, one line of JSON each.",
    "artifacts": "What jobs have uploaded for others to download, by name.",
    "attempts": "The attempts of runs; `result` is empty while one goes on.",
    "caches": "What jobs keep for later runs; `blob` is empty while one is being written.",
    "definitions": "What an attempt is made of, as JSON, without secrets.",
    "deliveries": "What webhooks, hooks and polls have told of repositories.",
    "effects": "What has to be done outside of the transaction that causes it.",
    "group_locks": "A row for each concurrency group, which its members are changed under.",
    "group_members": "Who runs or waits in a concurrency group, in their order.",
    "inbox": "Signals that a run has still to be told.",
    "jobs": "The jobs that runs have ordered: the queue of a server.",
    "observations": "The attempts whose end metrics and traces have been told of.",
    "registrations": "Tokens by which a runner registers once; of each the digest alone.",
    "replies": "Answers to requests with an idempotency key, for those who ask again.",
    "repositories": "The repositories of a server, and the commits of which runs were told.",
    "repository_values": "Secrets, sealed, and variables of repositories.",
    "run_events": "The journal: each signal of an attempt with the orders it led to.",
    "runners": "The machines that take jobs; of their credentials the digests alone.",
    "runs": "The runs, with what started them.",
    "schedules": "When workflows with a schedule are due next.",
    "servers": "The processes of a server that are there.",
}
"""Every table, and what it is for."""


def lay_out_data_model() -> str:
    """The whole page: the tables as they are, then how they came to be."""
    return "\n".join(
        [HEAD, "## Tables\n", *_lay_out_tables(), "## Versions\n", *_lay_out_versions()]
    )


def _lay_out_tables() -> Iterator[str]:
    connection = _make(len(MIGRATIONS))
    for table in list_tables(connection):
        yield f"### {table}\n\n{MEANINGS[table]}\n"
        yield "| column | type | |\n|---|---|---|"
        for _, name, kind, not_null, default, key in connection.execute(
            f"PRAGMA table_info({table})"
        ):
            facts = ["key"] * bool(key) + ["may be empty"] * (not not_null)
            facts += [f"`{default}` by default"] * (default is not None)
            yield f"| `{name}` | {kind.replace('DOUBLE PRECISION', 'REAL')} | {', '.join(facts)} |"
        yield ""


def _lay_out_versions() -> Iterator[str]:
    for version in reversed(range(1, len(MIGRATIONS) + 1)):
        module = importlib.import_module(f"windlass.db.versions.{version:04d}")
        yield f"### Version {version}\n\n{module.__doc__.strip()}\n"
        before, after = _make(version - 1), _make(version)
        old = set(list_tables(before))
        new = [table for table in list_tables(after) if table not in old]
        if new:
            yield f"- new tables: {_quote(new)}"
        for table in sorted(old):
            if columns := [
                it for it in _columns(after, table) if it not in _columns(before, table)
            ]:
                yield f"- new columns of `{table}`: {_quote(columns)}"
        if rows := [_shorten(it) for it in MIGRATIONS[version - 1] if _changes_rows(it)]:
            yield from (f"- rows are changed: `{row}`" for row in rows)
        yield ""


def list_all_tables() -> list[str]:
    """The names of all tables of the newest version."""
    return list_tables(_make(len(MIGRATIONS)))


def list_tables(connection: sqlite3.Connection) -> list[str]:
    """The names of all tables."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _make(version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statements in MIGRATIONS[:version]:
        for statement in statements:
            connection.execute(statement)
    return connection


def _changes_rows(statement: str) -> bool:
    return statement.split()[0] in ("UPDATE", "INSERT", "DELETE")


def _shorten(statement: str) -> str:
    return re.sub(r"\s+", " ", statement).strip()


def _quote(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
