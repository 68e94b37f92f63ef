"""The port to effects: what a transaction causes and cannot do itself.

To process a delivery, to report a status, to fire a timer: each is a row of its own
(`windlass.db.effects.post_effect`), written with what causes it. Whoever has committed calls
`wake`; what another process has committed is found by looking again (`Rules.pause`).

A handler is given an effect whose time has come, in a thread of its own, and returns when it is
done. It may be given the same effect again, after a crash or where a server has lost what it held:
it is idempotent by the effect's id, or sets absolute targets. Raising an exception has it called
again later (`windlass.engine.effects.tries`), until the effect is given up, which is logged and
kept in its row. A user's mistake is therefore no exception to raise: trying again would not help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from windlass.db.effects import EffectRow as Effect

if TYPE_CHECKING:
    from collections.abc import Callable

Handler: TypeAlias = "Callable[[Effect], None]"

__all__ = ["Effect", "Effects", "Handler"]


class Effects(Protocol):
    """Carries effects out while it is started; may be used from any number of threads."""

    def start(self) -> None:
        """Begin, with what is due already and with what a dead server has left."""

    def wake(self) -> None:
        """Look for effects at once: to be called after a commit. Returns at once."""

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what is under way.

        What is not done by then is done again, by whoever starts next.
        """

    def forget(self, before: float) -> int:
        """Forget what was done before a moment, and return how much that was.

        An id that was forgotten can be posted again.
        """
