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
        "ALTER TABLE runs ADD COLUMN repository TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN delivery TEXT",
        "ALTER TABLE runs ADD COLUMN state TEXT NOT NULL DEFAULT 'running'",
        """
        UPDATE runs SET state = coalesce(
            (SELECT result FROM attempts WHERE run = runs.id ORDER BY attempt DESC LIMIT 1),
            'running'
        )
        """,
        "CREATE INDEX runs_by_created ON runs (created, id)",
        "CREATE INDEX runs_by_state ON runs (state, created, id)",
        "CREATE INDEX runs_of_repository ON runs (repository, created, id)",
        "CREATE INDEX runs_of_state ON runs (repository, state, created, id)",
        "CREATE INDEX runs_of_workflow ON runs (repository, path, created, id)",
        "CREATE INDEX runs_of_ref ON runs (repository, ref, created, id)",
        "CREATE INDEX runs_by_repository ON runs (repository, path, number)",
        "CREATE UNIQUE INDEX runs_by_delivery ON runs (repository, delivery, path)",
        """
        CREATE TABLE definitions (
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            definition TEXT NOT NULL,
            PRIMARY KEY (run, attempt),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
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
            number INTEGER NOT NULL,
            ticket TEXT NOT NULL,
            labels TEXT NOT NULL,
            state TEXT NOT NULL,
            runner TEXT,
            token TEXT,
            received INTEGER NOT NULL DEFAULT 0,
            reason TEXT,
            forced INTEGER NOT NULL DEFAULT 0,
            queued DOUBLE PRECISION NOT NULL,
            claimed DOUBLE PRECISION,
            PRIMARY KEY (run, attempt, job),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX jobs_by_labels ON jobs (state, labels, ticket)",
        "CREATE UNIQUE INDEX jobs_by_number ON jobs (run, attempt, number)",
        "CREATE INDEX jobs_by_runner ON jobs (runner, ticket) WHERE state = 'running'",
        "CREATE INDEX jobs_by_token ON jobs (token) WHERE token IS NOT NULL",
        "CREATE INDEX jobs_by_age ON jobs (queued) WHERE state = 'queued'",
        "CREATE INDEX jobs_to_end ON jobs (runner) WHERE state = 'running' AND reason IS NOT NULL",
        "CREATE TABLE group_locks (name TEXT NOT NULL PRIMARY KEY)",
        """
        CREATE TABLE inbox (
            ticket TEXT NOT NULL PRIMARY KEY,
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            signal TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE repositories (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            location TEXT NOT NULL,
            default_branch TEXT NOT NULL,
            settings TEXT NOT NULL,
            webhook_secret TEXT,
            heads TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            polled DOUBLE PRECISION,
            scheduled TEXT,
            followed TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE UNIQUE INDEX repositories_by_name ON repositories (lower(name))",
        """
        CREATE TABLE deliveries (
            id TEXT NOT NULL PRIMARY KEY,
            repository TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
            guid TEXT NOT NULL,
            event TEXT NOT NULL,
            payload TEXT NOT NULL,
            received DOUBLE PRECISION NOT NULL,
            state TEXT NOT NULL,
            message TEXT NOT NULL DEFAULT '',
            digest TEXT,
            UNIQUE (repository, guid),
            UNIQUE (repository, digest)
        )
        """,
        "CREATE INDEX deliveries_by_repository ON deliveries (repository, id)",
        """
        CREATE TABLE schedules (
            repository TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
            path TEXT NOT NULL,
            cron TEXT NOT NULL,
            timezone TEXT NOT NULL,
            due DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (repository, path, cron, timezone)
        )
        """,
        "CREATE INDEX schedules_by_due ON schedules (due)",
        """
        CREATE TABLE repository_values (
            repository TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            updated DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (repository, kind, name)
        )
        """,
        """
        CREATE TABLE runners (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            labels TEXT NOT NULL,
            capacity INTEGER NOT NULL,
            ephemeral INTEGER NOT NULL,
            credential TEXT NOT NULL,
            version TEXT NOT NULL,
            protocol INTEGER NOT NULL,
            state TEXT NOT NULL,
            patience DOUBLE PRECISION NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            seen DOUBLE PRECISION NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX runners_by_credential ON runners (credential)",
        """
        CREATE TABLE registrations (
            token TEXT NOT NULL PRIMARY KEY,
            patience DOUBLE PRECISION NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            expires DOUBLE PRECISION NOT NULL,
            used DOUBLE PRECISION,
            runner TEXT
        )
        """,
        """
        CREATE TABLE access_tokens (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            token TEXT NOT NULL UNIQUE,
            created DOUBLE PRECISION NOT NULL,
            expires DOUBLE PRECISION,
            revoked DOUBLE PRECISION
        )
        """,
        """
        CREATE TABLE effects (
            id TEXT NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            lane TEXT NOT NULL DEFAULT '',
            due DOUBLE PRECISION NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0,
            owner TEXT,
            message TEXT NOT NULL DEFAULT '',
            done DOUBLE PRECISION
        )
        """,
        "CREATE INDEX effects_by_due ON effects (due) WHERE done IS NULL",
        "CREATE INDEX effects_by_done ON effects (done) WHERE done IS NOT NULL",
        """
        CREATE TABLE replies (
            token TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            digest TEXT NOT NULL,
            status INTEGER NOT NULL,
            body TEXT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            server TEXT NOT NULL,
            PRIMARY KEY (token, idempotency_key)
        )
        """,
        "CREATE INDEX attempts_by_finished ON attempts (finished)",
        """
        CREATE TABLE observations (
            run TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            PRIMARY KEY (run, attempt),
            FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt) ON DELETE CASCADE
        )
        """,
        """
        CREATE TABLE servers (
            id TEXT NOT NULL PRIMARY KEY,
            started DOUBLE PRECISION NOT NULL,
            seen DOUBLE PRECISION NOT NULL
        )
        """,
    ),
)
"""Migration number n takes the tables from version n - 1 to version n."""
