"""A signal and its orders ↔ what a database keeps of them: JSON, in which no key names a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.journals.codec import (
    decode_outlines,
    decode_signal,
    encode_outlines,
    encode_signal,
    outline,
)
from windlass.model.values import replace
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.db.run_events import Entry
    from windlass.engine.journals.interface import Outline
    from windlass.engine.key_cover import KeyCover
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class Entries:
    """Writes and reads the entries of one attempt; `cover` finds names for keys with secrets."""

    def __init__(self, cover: KeyCover) -> None:
        self._cover = cover

    def write(self, signal: Signal, orders: Sequence[Order]) -> Entry:
        """Return what is kept of a signal and of the orders it led to."""
        return self.write_signal(signal), encode_outlines(self.outline(orders))

    def write_signal(self, signal: Signal) -> str:
        """Return what is kept of a signal."""
        told = _with_reason(_with_key(signal, self._cover.cover), self._cover.mask)
        return encode_signal(told)

    def read_signal(self, text: str) -> Signal:
        """Return the signal that was kept.

        Raises:
            PlatformError: the text is none, or was written by a newer version.
        """
        return _with_key(decode_signal(text), self._cover.uncover)

    def read_outlines(self, text: str) -> tuple[Outline, ...]:
        """Return the outlines that were kept.

        Raises:
            PlatformError: the text is none.
        """
        return decode_outlines(text)

    def outline(self, orders: Sequence[Order]) -> tuple[Outline, ...]:
        """Return the outlines of some orders, and remember the keys they name."""
        outlines = (outline(order) for order in orders)
        return tuple((kind, self._cover.cover(subject)) for kind, subject in outlines)


def _with_key(signal: Signal, change: Callable[[str], str]) -> Signal:
    """Return a signal with another key, if it is about a job."""
    if isinstance(signal, JobFinished | JobCancelRequested | GroupEntered | GroupDenied):
        return replace(signal, key=change(signal.key))
    return signal


def _with_reason(signal: Signal, change: Callable[[str], str]) -> Signal:
    """Return a signal with another reason, if it has one: that may name a group."""
    if isinstance(signal, CancelRequested | JobCancelRequested | GroupDenied):
        return replace(signal, reason=change(signal.reason))
    return signal
