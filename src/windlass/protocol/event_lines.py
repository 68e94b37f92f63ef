"""The events of a run as lines of JSON: `windlass run --json`, and what history keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, get_args

from windlass.model.status import Result
from windlass.model.values import fields
from windlass.protocol import events

if TYPE_CHECKING:
    from windlass.protocol.events import RunEvent

_RESULTS: Final = ("result", "outcome", "conclusion")
_KINDS: Final[dict[str, Any]] = {}
_NAMES: Final[dict[str, tuple[str, ...]]] = {}
"""The fields of each kind of event that was written, by its name."""

_ENCODER: Final = json.JSONEncoder(default=dict)


def write_event(event: RunEvent, time: float) -> str:
    """Return an event as JSON: its name, the time in seconds since the epoch, and its fields."""
    names = _NAMES.get(event.event)
    if names is None:
        names = _NAMES[event.event] = tuple(field.name for field in fields(event))
    values = {name: getattr(event, name) for name in names}
    return _ENCODER.encode({"event": event.event, "time": round(time, 6), **values})


def read_event(line: str) -> tuple[RunEvent, float] | None:
    """Return an event and its time; None for a line that is no event this version knows.

    Fields that are not known are left out: a newer version may have written them.
    """
    try:
        values = json.loads(line)
        kind, time = _find_kind(values["event"]), float(values["time"])
        known = {field.name: values[field.name] for field in fields(kind) if field.name in values}
        known |= {name: Result(known[name]) for name in _RESULTS if name in known}
        return kind(**known), time
    except (ValueError, KeyError, TypeError):
        return None


def _find_kind(name: str) -> Any:
    if not _KINDS:
        _KINDS.update((kind.event, kind) for kind in get_args(events.RunEvent))
    return _KINDS[name]
