"""What a server and a runner say of themselves, on stderr: a line each, as JSON or for people.

    {"time": "2026-01-02T03:04:05.678901Z", "level": "info", "event": "request", "status": 200, …}

Modules use the standard library's `logging.getLogger(__name__)`, or `tell` where a line has fields
of its own; only who runs for long configures it. Whatever looks like a token is hidden, wherever
it stands.
"""

from __future__ import annotations

import contextvars
import logging
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
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
    # Imported here: it takes longer than a whole `windlass plan`.
    import structlog

    stream = sys.stderr if stream is None else stream
    if as_json is None:
        as_json = not stream.isatty()
    before: list[Any] = [
        _add_context,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        _hide_tokens,
    ]
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time")
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[],
            processors=[
                _take_fields,
                *before,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


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


def _take_fields(_logger: object, _name: str, values: MutableMapping[str, Any]) -> Any:
    record = values.get("_record")
    if record is not None:
        values.update(getattr(record, FIELDS, {}))
        values["logger"] = record.name
        if record.exc_info:
            values["exc_info"] = record.exc_info
    return values


def _add_context(_logger: object, _name: str, values: MutableMapping[str, Any]) -> Any:
    for name, value in (_context.get() or {}).items():
        values.setdefault(name, value)
    return values


def _hide_tokens(_logger: object, _name: str, values: MutableMapping[str, Any]) -> Any:
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = hide_tokens(value)
    return values
