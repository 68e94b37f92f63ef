"""Signals and orders as JSON: what a journal that outlives its process holds.

A signal is an object with `v`, the version of this format, `signal`, its kind, and its fields. Of
an order only its outline is kept, `[kind, subject]`: a fresh machine that is told the signals gives
the orders themselves, and the outlines tell whether it still decides as the first one did.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.model.values import fields
from windlass.plan.orders import (
    CancelJob,
    DropJob,
    EnterGroup,
    FinishRun,
    LeaveGroup,
    RejectJob,
    SkipJob,
    StartJob,
)
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.engine.journals.interface import Outline
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal

VERSION: Final = 1

_SIGNALS: Final[dict[str, type[Signal]]] = {
    "run-started": RunStarted,
    "job-finished": JobFinished,
    "cancel-requested": CancelRequested,
    "job-cancel-requested": JobCancelRequested,
    "group-entered": GroupEntered,
    "group-denied": GroupDenied,
}
_NAMES: Final = {kind: name for name, kind in _SIGNALS.items()}
_ORDERS: Final[dict[type[Order], str]] = {
    StartJob: "start-job",
    SkipJob: "skip-job",
    DropJob: "drop-job",
    RejectJob: "reject-job",
    CancelJob: "cancel-job",
    EnterGroup: "enter-group",
    LeaveGroup: "leave-group",
    FinishRun: "finish-run",
}


def encode_signal(signal: Signal) -> str:
    """Return a signal as one line of JSON."""
    values = {field.name: getattr(signal, field.name) for field in fields(signal)}
    return json.dumps({"v": VERSION, "signal": _NAMES[type(signal)], **values}, default=dict)


def decode_signal(text: str) -> Signal:
    """Return the signal that `encode_signal` wrote.

    Raises:
        PlatformError: the text is none, or was written by a newer version.
    """
    try:
        values = json.loads(text)
        version, kind = values.pop("v"), values.pop("signal")
        if version == VERSION:
            if "result" in values:
                values["result"] = Result(values["result"])
            return _SIGNALS[kind](**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlatformError(f"the run's journal cannot be read: {error!r} in {text!r}") from error
    raise PlatformError(
        f"the run's journal was written by another version of Windlass (format {version}; this one "
        f"knows {VERSION})",
        hint="use the version that began the run, or start the run anew",
    )


def outline(order: Order) -> Outline:
    """Return what is kept of an order: its kind, and the job or the result that it is about."""
    subject: Any = order.result.value if isinstance(order, FinishRun) else order.key
    return _ORDERS[type(order)], subject


def encode_outlines(outlines: Iterable[Outline]) -> str:
    """Return outlines as one line of JSON."""
    return json.dumps([list(one) for one in outlines])


def decode_outlines(text: str) -> tuple[Outline, ...]:
    """Return the outlines that `encode_outlines` wrote.

    Raises:
        PlatformError: the text is none.
    """
    try:
        return tuple((str(kind), str(subject)) for kind, subject in json.loads(text))
    except (ValueError, TypeError) as error:
        raise PlatformError(f"the run's journal cannot be read: {error!r} in {text!r}") from error
