"""Every question to the daemon as points: before it is sent, when it is, after its answer."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.docker.connections import Connection
from windlass.docker.engine import Engine
from windlass.jobs.supervisor.tree import list_descendants, send_signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.points import Points

SUPERVISOR: Final = b"windlass.jobs.supervisor.server"
_VARYING: Final = re.compile(r"[0-9a-f]{32,}|windlass-[0-9a-f]{12}|127\.0\.0\.1(:|%3A)\d+")


def install_daemon_points(points: Points) -> None:
    """Put points around what this process asks the daemon."""
    answer, take_over, follow = Engine._answer, Engine.take_over, Engine.follow
    request = Connection.request

    @contextlib.contextmanager
    def answered(engine: Engine, method: str, target: str, *others: Any) -> Iterator[Any]:
        label = name_question(method, target)
        points.reach(f"before {label}")
        with answer(engine, method, target, *others) as found:
            points.reach(f"after {label}")
            yield found

    @wraps(request)
    def sent(connection: Connection, method: str, url: str, *others: Any, **options: Any) -> None:
        request(connection, method, url, *others, **options)
        points.reach(f"sent {name_question(method, url)}")

    @wraps(take_over)
    def taken_over(engine: Engine, path: str, **options: Any) -> Any:
        label = name_question("POST", path)
        points.reach(f"before {label}")
        link = take_over(engine, path, **options)
        points.reach(f"after {label}")
        return link

    @wraps(follow)
    def followed(engine: Engine, method: str, path: str, **options: Any) -> Iterator[Any]:
        label = name_question(method, path)
        for number, message in enumerate(follow(engine, method, path, **options)):
            if number in (0, 2):
                points.reach(f"message {number} of {label}")
            yield message
        points.reach(f"end of {label}")

    Engine._answer = answered  # type: ignore[method-assign]
    Engine.take_over = taken_over  # type: ignore[method-assign]
    Engine.follow = followed  # type: ignore[method-assign]
    Connection.request = sent  # type: ignore[assignment,method-assign]


def name_question(method: str, target: str) -> str:
    """Return what is asked, without what is another each time."""
    path = re.sub(r"^/v[\d.]+", "", target.partition("?")[0])
    return f"{method} {_VARYING.sub('*', path)}"


def kill_supervisors() -> None:
    """Kill the supervisors of this process, which goes on."""
    for pid in _list_supervisors()[1:]:
        send_signal(pid, signal.SIGKILL)


def kill_all() -> None:
    """Kill whoever looks after the jobs of this process, and it: nobody is left to tidy up."""
    for pid in _list_supervisors():
        send_signal(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _list_supervisors() -> list[int]:
    """Return the fork server and its forks."""
    return [pid for pid in list_descendants(os.getpid()) if _is_supervisor(pid)]


def _is_supervisor(pid: int) -> bool:
    try:
        return SUPERVISOR in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
