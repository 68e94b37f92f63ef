"""Effects carried out by DBOS: each try is a short workflow, and its end a checkpoint.

Our rows say what is to be done, and when; DBOS's tables say of what has begun whether it has ended.
A workflow is called `ID/TRIES`, so that a try begins once: where the server that held it has died,
the same workflow is resumed, and what it had done is not done again. One that was taken over while
its process stood still cannot note its end any more.

DBOS is one for each process. Nothing of it is used that needs its console, a queue with limits, or
a workflow that waits: what is parked is a row of ours.

Source: https://docs.dbos.dev/python/reference/dbos-class
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from windlass.engine.effects.desk import EffectDesk
from windlass.engine.effects.interface import Effect
from windlass.engine.effects.tries import carry_out, describe
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from windlass.db.connections import Store
    from windlass.engine.effects.desk import Rules
    from windlass.engine.effects.interface import Handler

APPLICATION_VERSION: Final = "1"
"""Pinned: by default it is a hash of the code, and what an older one had begun is left alone."""

SCHEMA: Final = "dbos"
FILE: Final = "effects.db"
_UNDER_WAY: Final = ("PENDING", "ENQUEUED", "DELAYED")
_AT_ONCE: Final = 1000
_QUIET_SECONDS: Final = 3600.0


class DbosEffects:
    """See `windlass.engine.effects.interface.Effects`.

    `address` is that of the database that DBOS keeps its tables in: a file of its own beside ours,
    or the same database of PostgreSQL, where they lie in the schema `dbos`.
    """

    def __init__(
        self, store: Store, handlers: Mapping[str, Handler], rules: Rules, address: str
    ) -> None:
        self._handlers = dict(handlers)
        self._rules = rules
        self._address = address
        self._desk = EffectDesk(store, self._handlers, self._begin, rules)
        self._workflow: Any = None
        self.wake = self._desk.wake

    def start(self) -> None:
        """Begin; see the port.

        Raises:
            PlatformError: the database cannot be used.
        """
        from dbos import DBOS

        _prepare(self._address)
        try:
            DBOS(config=self._configure())
            self._workflow = DBOS.workflow(name="effect")(_as_function(self._work))
            DBOS.launch()
        except Exception as error:
            DBOS.destroy(destroy_registry=True)
            raise PlatformError(
                f"the tables of effects cannot be opened: {type(error).__name__}",
                hint="is the database running, and has it room?",
            ) from error
        self._desk.start()

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        from dbos import DBOS

        self._desk.stop(seconds)
        DBOS.destroy(destroy_registry=True)

    def forget(self, before: float) -> int:
        """Forget what was done before a moment, also in DBOS's tables."""
        from dbos import DBOS

        moment = datetime.fromtimestamp(before, UTC).isoformat()
        while found := DBOS.list_workflows(
            completed_before=moment, limit=_AT_ONCE, load_input=False, load_output=False
        ):
            DBOS.delete_workflows([it.workflow_id for it in found])
        return self._desk.forget(before)

    def _configure(self) -> Any:
        from dbos import DBOSConfig, DBOSPortableJSONSerializer

        return DBOSConfig(
            name="windlass",
            system_database_url=self._address,
            dbos_system_schema=SCHEMA,
            executor_id=self._rules.owner,
            application_version=APPLICATION_VERSION,
            serializer=DBOSPortableJSONSerializer(),
            log_level="ERROR",
            enable_otlp=False,
            use_listen_notify=False,
            sys_db_pool_size=self._rules.at_once + 2,
            scheduler_polling_interval_sec=_QUIET_SECONDS,
        )

    def _begin(self, effect: Effect) -> None:
        """Begin a try, or go on with one that its server has left."""
        from dbos import DBOS, SetWorkflowID, error

        name = f"{effect.id}/{effect.tries}"
        try:
            with SetWorkflowID(name, workflow_id_reuse_policy="reject"):
                DBOS.start_workflow(
                    self._workflow, effect.id, effect.kind, dict(effect.payload), effect.tries
                )
        except error.DBOSWorkflowIDInUseError:
            self._go_on(name, effect)

    def _go_on(self, name: str, effect: Effect) -> None:
        """Resume a workflow, or note the end of one that could not do so itself."""
        from dbos import DBOS

        found = DBOS.get_workflow_status(name)
        if found is None or found.status in _UNDER_WAY:
            DBOS.resume_workflow(name)
        elif found.status == "SUCCESS":
            self._desk.end(effect, _as_error(found.output))
        else:
            self._desk.end(effect, PlatformError(f"it was broken off: {found.status}"))

    def _work(self, key: str, kind: str, payload: dict[str, Any], tries: int) -> str | None:
        """Be a workflow: try once, keep how it went, and say so where effects are kept."""
        from dbos import DBOS

        effect = Effect(id=key, kind=kind, payload=payload, due=0.0, tries=tries)
        try:
            message = DBOS.run_step({"name": kind}, self._try, effect)
        except BaseException:
            # Not its handler but DBOS has failed, or another server has it now.
            self._desk.let_go(effect)
            raise
        self._desk.end(effect, _as_error(message))
        return message

    def _try(self, effect: Effect) -> str | None:
        """Be a step: return what went wrong, in words that may be kept."""
        error = carry_out(self._handlers[effect.kind], effect)
        return None if error is None else describe(error)


def place_tables(address: str, data: Path) -> str:
    """Return where DBOS keeps its tables beside those of a server's database and folder.

    A file of SQLite has one writer at a time: ours and DBOS's do not wait for each other.
    """
    if address.startswith("sqlite"):
        return f"sqlite:///{data / FILE}"
    # As on our own connections: not every database says in which encoding its texts are.
    return f"{address}{'&' if '?' in address else '?'}client_encoding=utf8"


def _as_error(message: str | None) -> PlatformError | None:
    return None if message is None else PlatformError(message)


def _as_function(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method as a function: what it is registered as is written into it."""

    def call(*values: Any) -> Any:
        return method(*values)

    return call


def _prepare(address: str) -> None:
    """Have a file of SQLite take several readers beside a writer, as DBOS does not by itself."""
    prefix = "sqlite:///"
    if address.startswith(prefix):
        try:
            connection = sqlite3.connect(address.removeprefix(prefix))
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise PlatformError(
                f"{address.removeprefix(prefix)}: the database cannot be opened: {error}"
            ) from error
