"""What becomes of an effect when its handler has returned or raised."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from windlass.db.effects import finish_effect, put_off_effect
from windlass.errors import WindlassError

if TYPE_CHECKING:
    from windlass.db.connections import Connection
    from windlass.engine.effects.interface import Effect, Handler

MOST_TRIES: Final = 12
_PAUSES: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300)

_log = logging.getLogger(__name__)


def find_pause(tries: int) -> float:
    """Return the seconds to wait after so many failed tries, which is 23 minutes in all."""
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


def carry_out(handler: Handler, effect: Effect) -> Exception | None:
    """Have a handler try an effect once, and return what it raised."""
    try:
        handler(effect)
    except Exception as error:  # noqa: BLE001 (a worker's boundary: whatever it is, it is noted)
        return error
    return None


def note_try(connection: Connection, effect: Effect, now: float, error: Exception | None) -> bool:
    """Note how a try has ended; False where that try's end is known already."""
    if error is None:
        return finish_effect(connection, effect, now)
    failed = effect.tries + 1
    message = describe(error)
    if failed >= MOST_TRIES:
        _log.error("the effect %s is given up after %d tries: %s", effect.id, failed, message)
        return finish_effect(connection, effect, now, message)
    pause = find_pause(failed)
    _log.warning("the effect %s is tried again in %s s: %s", effect.id, pause, message)
    return put_off_effect(connection, effect, now + pause, message)


def describe(error: Exception) -> str:
    """Return what may be kept and logged of an error: of a foreign one, its kind alone.

    Its text may quote what it was given: an address with a token, the body of a request.
    """
    return error.message if isinstance(error, WindlassError) else type(error).__name__
