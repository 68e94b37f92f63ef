"""Every moment at which a server or a runner writes something down, or says something.

Nothing of it is in what is tested: a process that is a fork of a test puts it around itself.
"""

from __future__ import annotations

import re
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import Connection as SqlConnection

import windlass.engine.effects.dbos
import windlass.server.app
from windlass.jobs.supervisor.client import Supervisor
from windlass.runner.connection import AwayError, Connection
from windlass.runner.identity import RunnerState
from windlass.runner.mirrors import Mirror
from windlass.runner.records import JobRecord
from windlass.runner.shared_mirrors import SharedMirror
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from tests.chaos.points import Points

COMMIT: Final = "commit "
OF_RUNNERS: Final[tuple[tuple[type[Any], str], ...]] = (
    (RunnerState, "write"),
    (JobRecord, "make"),
    (JobRecord, "add_events"),
    (JobRecord, "write_end"),
    (JobRecord, "remove"),
    (Mirror, "update"),
    (SharedMirror, "update"),
    (Supervisor, "__init__"),
    (Supervisor, "close"),
    (JobLogWriter, "close"),
)
"""What runners do by themselves; there are points before and after."""

_RUN: Final = re.compile(r"jobs/\d+/\d+/|[0-9]{12,}|[0-9a-f]{16,}")
_DATABASE: Final = "windlass.db.server_database"
_JOBS: Final = b'"assignments":[{'


def install_server_points(points: Points) -> None:
    """Put points around what a server writes, does and answers."""
    _surround_commits(points)
    _surround_effects(points)
    _surround_requests(points)


def install_runner_points(points: Points) -> None:
    """Put points around what a runner writes, and asks the server."""
    for kind, name in OF_RUNNERS:
        _surround(points, kind, name)
    ask = Connection._ask

    @wraps(ask)
    def asked(connection: Connection, method: str, path: str, *others: Any) -> tuple[int, bytes]:
        label = f"{method} {name_path(path)}"
        points.reach(f"before {label}")
        try:
            status, content = ask(connection, method, path, *others)
        except AwayError:
            # A poll that was given up, or a server that is being killed.
            points.reach(f"without an answer to {label}")
            raise
        if path == "poll" and _JOBS in content.replace(b" ", b""):
            label += " with a job"
        points.reach(f"after {label}")
        return status, content

    Connection._ask = asked  # type: ignore[assignment,method-assign]


def name_path(path: str) -> str:
    """Return a path without what is another each time; jobs keep their numbers."""
    return _RUN.sub(lambda it: "jobs/" if it[0].startswith("jobs") else "*", path.partition("?")[0])


def _surround(points: Points, kind: type[Any], name: str) -> None:
    function = getattr(kind, name)

    @wraps(function)
    def surrounded(*arguments: Any, **options: Any) -> Any:
        points.reach(f"before {kind.__name__}.{name}")
        answer = function(*arguments, **options)
        points.reach(f"after {kind.__name__}.{name}")
        return answer

    setattr(kind, name, surrounded)


def _surround_commits(points: Points) -> None:
    """Put points around the commits of all databases: the server's, and that of DBOS."""
    commit = SqlConnection._commit_impl

    @wraps(commit)
    def committed(connection: SqlConnection) -> None:
        label = f"{COMMIT}{_find_writer()}"
        points.reach(f"before {label}")
        commit(connection)
        points.reach(f"after {label}")

    SqlConnection._commit_impl = committed  # type: ignore[assignment,method-assign]


def _find_writer() -> str:
    """Return whose transaction it is: the function of Windlass, or of DBOS, that began it."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(("windlass.", "dbos.")) and module != _DATABASE:
            return f"{module.removeprefix('windlass.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "?"


def _surround_effects(points: Points) -> None:
    module: Any = windlass.engine.effects.dbos
    carry_out = module.carry_out

    @wraps(carry_out)
    def carried_out(handler: Any, effect: Any) -> Exception | None:
        points.reach(f"before effect {effect.kind}")
        error: Exception | None = carry_out(handler, effect)
        points.reach(f"after effect {effect.kind}")
        return error

    module.carry_out = carried_out


def _surround_requests(points: Points) -> None:
    """Put points before a request is handled, and before its answer is sent."""
    make_app = windlass.server.app.make_app

    def made(*arguments: Any, **options: Any) -> Any:
        app = make_app(*arguments, **options)

        async def surrounded(scope: Any, receive: Any, send: Any) -> None:
            is_look = scope["type"] != "http" or (
                scope["method"] == "GET" and scope["path"].startswith("/api/")
            )
            if is_look:
                await app(scope, receive, send)
                return
            label = f"{scope['method']} {name_path(scope['path'])}"

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    has_job = _JOBS in message.get("body", b"").replace(b" ", b"")
                    points.reach(f"after {label}{' with a job' if has_job else ''}")
                await send(message)

            points.reach(f"before {label}")
            await app(scope, receive, sending)

        return surrounded

    windlass.server.app.make_app = made
