"""Effects carried out by threads of this process; the rows alone say what is to be done.

A row that is carried out is held for `HOLD_SECONDS`, and for longer while its handler runs. So
several processes on one database share the work, and what a dead one held falls due again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from windlass.db.effects import find_next_due, hold_effect, keep_holding, list_due
from windlass.engine.effects.interface import LOOK_AGAIN_SECONDS
from windlass.engine.effects.tries import note_try
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.db.connections import Store
    from windlass.engine.effects.interface import Effect, Handler

HOLD_SECONDS: Final = 8.0
_RENEWAL_SECONDS: Final = 2.0
_WORKERS: Final = 8

_log = logging.getLogger(__name__)


class ThreadedEffects:
    """See `windlass.engine.effects.interface.Effects`.

    `owner` names this process and no other one, `now` returns seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        owner: str,
        now: Callable[[], float] = time.time,
        workers: int = _WORKERS,
    ) -> None:
        self._store = store
        self._handlers = dict(handlers)
        self._owner = owner
        self._now = now
        self._workers = workers
        self._woken = threading.Event()
        self._stopping = False
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._loop: threading.Thread | None = None

    def start(self) -> None:
        """Begin; see the port."""
        self._stopping = False
        self._loop = threading.Thread(target=self._look_on, name="effects", daemon=True)
        self._loop.start()

    def wake(self) -> None:
        """Look for effects at once."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        self._stopping = True
        self._woken.set()
        if self._loop is not None:
            self._loop.join(seconds)

    def _look_on(self) -> None:
        """Hand out what falls due, and hold on to it, until it is time to stop."""
        renewed = time.monotonic()
        while not self._stopping or self._held:
            pause = LOOK_AGAIN_SECONDS
            self._woken.clear()
            try:
                if time.monotonic() - renewed > _RENEWAL_SECONDS:
                    self._renew()
                    renewed = time.monotonic()
                if not self._stopping:
                    pause = self._hand_out()
            except PlatformError as error:
                _log.warning("effects cannot be read: %s", error)
            self._woken.wait(pause)

    def _hand_out(self) -> float:
        """Give threads what is due, and return the seconds until there may be more."""
        free = self._workers - len(self._held)
        if free <= 0:
            return LOOK_AGAIN_SECONDS
        kinds = sorted(self._handlers)
        for effect in list_due(self._store, kinds, self._now(), free):
            self._take(effect)
        due = find_next_due(self._store, kinds)
        if due is None or len(self._held) >= self._workers:
            return LOOK_AGAIN_SECONDS
        return min(max(due - self._now(), 0.0), LOOK_AGAIN_SECONDS)

    def _take(self, effect: Effect) -> None:
        with self._store.writing() as connection:
            held = hold_effect(connection, effect, self._owner, self._now() + HOLD_SECONDS)
        if held:
            with self._lock:
                self._held.add(effect.id)
            threading.Thread(
                target=self._carry_out, args=(effect,), name=f"effect {effect.kind}", daemon=True
            ).start()

    def _renew(self) -> None:
        """Hold for longer what is not done yet."""
        with self._lock:
            held = list(self._held)
        if held:
            with self._store.writing() as connection:
                lost = keep_holding(connection, held, self._owner, self._now() + HOLD_SECONDS)
            for key in lost:
                _log.warning("another server has taken over the effect %s", key)

    def _carry_out(self, effect: Effect) -> None:
        try:
            self._note(effect, self._try(effect))
        finally:
            with self._lock:
                self._held.discard(effect.id)
            self._woken.set()

    def _try(self, effect: Effect) -> Exception | None:
        """Call an effect's handler once, and return what it raised."""
        try:
            self._handlers[effect.kind](effect)
        except Exception as error:  # noqa: BLE001 (a worker's loop: whatever it is, it is tried again)
            return error
        return None

    def _note(self, effect: Effect, error: Exception | None) -> None:
        """Write down how a try has ended; a database that is away is waited for."""
        while True:
            try:
                with self._store.writing() as connection:
                    note_try(connection, effect, self._owner, self._now(), error)
            except PlatformError as reason:
                _log.warning("the end of the effect %s cannot be noted: %s", effect.id, reason)
            else:
                return
            if self._stopping:
                return
            time.sleep(LOOK_AGAIN_SECONDS)
