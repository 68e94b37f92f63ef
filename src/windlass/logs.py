"""What a server and a runner say of themselves, on stderr: a line each, as JSON or for people.

    {"time": "2026-01-02T03:04:05.678901Z", "level": "info", "event": "request", "status": 200, …}

Modules use the standard library's `logging.getLogger(__name__)`, or `tell` where a line has fields
of its own; only who runs for long configures it. Whatever looks like a token is hidden, wherever
it stands.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

TOKEN: Final = re.compile(
    r"\b(?:wl[a-z]_|gh[a-z]_|github_pat_)[A-Za-z0-9_.-]{8,}"  # of ours and of GitHub's
    r"|(?<=[Bb]earer )\S+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # of an address
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # JSON Web Tokens
)
HIDDEN: Final = "***"
FIELDS: Final = "windlass_fields"

_context: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "windlass_log_context", default=None
)
_QUIET: Final = ("uvicorn", "httpx", "httpcore", "alembic", "sqlalchemy", "opentelemetry")
"""They tell of each thing they do, some of them with the query strings of requests."""


def configure(stream: TextIO | None = None, *, as_json: bool | None = None) -> None:
    """Have all that is logged told on a stream: for people on a terminal, as JSON elsewhere."""
    stream = sys.stderr if stream is None else stream
    if as_json is None:
        as_json = not stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(write_json if as_json else write_text))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class Lines(logging.Formatter):
    """Has each record written as one text, by what it is given: all it says, by name."""

    def __init__(self, write: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with what goes on around it and without tokens."""
        head = {
            "time": write_time(record.created),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        # What a line says of itself counts more than what is said around it.
        values = {**head, **(_context.get() or {}), **getattr(record, FIELDS, {}), **head}
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = hide_tokens(value)
        return self._write(values)


def write_json(values: dict[str, Any]) -> str:
    """Return what a line says as JSON."""
    return json.dumps(values, ensure_ascii=False, default=repr)


def write_text(values: dict[str, Any]) -> str:
    """Return what a line says for people."""
    told = dict(values)
    time, level, event = (told.pop(name) for name in ("time", "level", "event"))
    exception = told.pop("exception", "")
    fields = "".join(f" {name}={_show(value)}" for name, value in told.items() if name != "logger")
    return f"{time} {level:<7} {event}{fields}" + (f"\n{exception}" if exception else "")


def _show(value: Any) -> str:
    text = str(value)
    return repr(text) if not text or any(it.isspace() for it in text) else text


def write_time(seconds: float) -> str:
    """Return a point in time, given in seconds since the epoch, as RFC 3339 writes it."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def tell(logger: logging.Logger, event: str, **fields: Any) -> None:
    """Log a line with fields of its own."""
    logger.info("%s", event, extra={FIELDS: fields})


@contextmanager
def telling_of(**fields: Any) -> Iterator[None]:
    """Have every line of a block name something: a request, a run."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def hide_tokens(text: str) -> str:
    """Return a text in which nothing looks like a token."""
    return TOKEN.sub(HIDDEN, text)
