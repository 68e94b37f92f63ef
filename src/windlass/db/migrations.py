"""The tables, as the steps that made them: numbered from 1, forward only, never changed afterwards.

The statements are plain SQL that SQLite and PostgreSQL both take. Points in time are seconds since
the epoch, signals and orders are JSON (`windlass.engine.journals.codec`), results are the words of
`windlass.model.status.Result`, and NULL is what is not known yet. A ticket is a text that sorts by
the moment it was drawn (`windlass.db.tickets`).

Each has a revision of Alembic's in `versions`, by which a server takes its database along.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            number INTEGER NOT NULL,
            workflow TEXT NOT NULL,
            path TEXT NOT NULL,
            event TEXT NOT NULL,
            sha TEXT NOT NULL,
            ref TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL
        )
        """,
        "CREATE INDEX runs_by_path ON runs (path, number)",
        """
        CREATE TABLE attempts (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            attempt INTEGER NOT NULL,
            started DOUBLE PRECISION NOT NULL,
            finished DOUBLE PRECISION,
            result TEXT,
            PRIMARY KEY (run, attempt)
        )
        """,
        """
        CREATE TABLE run_events (
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            signal TEXT NOT NULL,
            orders TEXT NOT NULL,
            PRIMARY KEY (run, attempt, seq),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
        """
        CREATE TABLE group_members (
            name TEXT NOT NULL,
            ticket INTEGER NOT NULL,
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            job TEXT NOT NULL,
            state TEXT NOT NULL,
            PRIMARY KEY (name, ticket)
        )
        """,
        "CREATE UNIQUE INDEX group_members_by_job ON group_members (run, attempt, job)",
    ),
    (
        """
        CREATE TABLE caches (
            id INTEGER NOT NULL PRIMARY KEY,
            scope TEXT NOT NULL,
            version TEXT NOT NULL,
            cache_key TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            used DOUBLE PRECISION NOT NULL,
            writer TEXT,
            blob TEXT,
            size BIGINT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX caches_by_name ON caches (scope, version, cache_key)",
    ),
    (
        """
        CREATE TABLE artifacts (
            id BIGINT NOT NULL PRIMARY KEY,
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            job TEXT NOT NULL,
            name TEXT NOT NULL,
            blob TEXT NOT NULL,
            size BIGINT NOT NULL,
            mime_type TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            expires DOUBLE PRECISION NOT NULL,
            UNIQUE (run, attempt, name)
        )
        """,
    ),
    ("ALTER TABLE caches ADD COLUMN places TEXT",),
    (
        """
        CREATE TABLE announcements (
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            line TEXT NOT NULL,
            PRIMARY KEY (run, attempt, seq),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
        """
        CREATE TABLE jobs (
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            job TEXT NOT NULL,
            ticket TEXT NOT NULL,
            labels TEXT NOT NULL,
            state TEXT NOT NULL,
            runner TEXT,
            reason TEXT,
            queued DOUBLE PRECISION NOT NULL,
            claimed DOUBLE PRECISION,
            PRIMARY KEY (run, attempt, job),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX jobs_by_state ON jobs (state, ticket)",
        """
        CREATE TABLE inbox (
            ticket TEXT NOT NULL PRIMARY KEY,
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            signal TEXT NOT NULL
        )
        """,
    ),
)
"""Migration number n takes the tables from version n - 1 to version n."""
