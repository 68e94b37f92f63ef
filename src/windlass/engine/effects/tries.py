"""What becomes of an effect when its handler has returned or raised."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from windlass.db.effects import finish_effect, put_off_effect
from windlass.errors import WindlassError

if TYPE_CHECKING:
    from windlass.db.connections import Connection
    from windlass.engine.effects.interface import Effect

MOST_TRIES: Final = 12
_PAUSES: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300)

_log = logging.getLogger(__name__)


def find_pause(tries: int) -> float:
    """Return the seconds to wait after so many failed tries, which is 23 minutes in all."""
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


def note_try(
    connection: Connection, effect: Effect, owner: str, now: float, error: Exception | None
) -> bool:
    """Note how a try has ended; False where the effect is not the owner's any more."""
    if error is None:
        return finish_effect(connection, effect.id, owner, now)
    failed = effect.tries + 1
    message = describe(error)
    if failed >= MOST_TRIES:
        _log.error("the effect %s is given up after %d tries: %s", effect.id, failed, message)
        return finish_effect(connection, effect.id, owner, now, message)
    pause = find_pause(failed)
    _log.warning("the effect %s is tried again in %s s: %s", effect.id, pause, message)
    return put_off_effect(connection, effect.id, owner, now + pause, message)


def describe(error: Exception) -> str:
    """Return what may be kept and logged of an error: of a foreign one, its kind alone.

    Its text may quote what it was given: an address with a token, the body of a request.
    """
    return error.message if isinstance(error, WindlassError) else type(error).__name__
