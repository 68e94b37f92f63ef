"""Where effects are handed out: what is due, to whom, and what became of it.

It is the same whoever carries them out. A row that is handed out is held for `HOLD_SECONDS`, and
for longer while somebody works on it. So several processes on one database share the work, and what
a dead one held falls due again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from windlass.db.effects import (
    find_next_due,
    hold_effect,
    keep_holding,
    list_due,
    move_effects,
    release_effects,
    remove_done_effects,
)
from windlass.engine.effects.tries import describe, note_try
from windlass.errors import PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from windlass.db.connections import Store
    from windlass.engine.effects.interface import Effect

LOOK_AGAIN_SECONDS: Final = 0.5
HOLD_SECONDS: Final = 6.0
SET_BACK_SECONDS: Final = 1.0
"""From so much on, a clock was set back: less is how a clock is kept right."""
_RENEWAL_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a process takes part: its name, which no other has; how many effects at once; its clock.

    So many effects of one lane at once: a remote that drips holds up its own alone. Where it is
    `alone` on its database, what somebody holds when it starts is of a dead one. `pause` returns
    the seconds after which what another process has committed is looked for; `now` those since the
    epoch.
    """

    owner: str
    alone: bool = False
    at_once: int = 16
    at_once_in_lane: int = 2
    pause: Callable[[], float] = lambda: LOOK_AGAIN_SECONDS
    now: Callable[[], float] = time.time


class _Hold(NamedTuple):
    """That an effect is this process's until a moment (`time.monotonic`), and its lane."""

    until: float
    lane: str


class EffectDesk:
    """Hands effects of some kinds out: `begin(effect)` starts the work on one and returns at once.

    Whoever has done it calls `end`. May be used from any number of threads.
    """

    def __init__(
        self, store: Store, kinds: Collection[str], begin: Callable[[Effect], None], rules: Rules
    ) -> None:
        self._store = store
        self._kinds = sorted(kinds)
        self._begin = begin
        self._rules = rules
        self._woken = threading.Event()
        self._stopping = False
        self._ahead = self._measure_clock()
        self._held: dict[str, _Hold] = {}
        self._lock = threading.Lock()
        self._loop: threading.Thread | None = None

    def start(self) -> None:
        """Begin to hand out.

        Raises:
            PlatformError: the database cannot be used.
        """
        self._stopping = False
        if self._rules.alone:
            with self._store.writing() as connection:
                release_effects(connection)
        self._loop = threading.Thread(target=self._look_on, name="effects", daemon=True)
        self._loop.start()

    def wake(self) -> None:
        """Look for effects at once."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Hand nothing more out, and wait so long for what is under way."""
        self._stopping = True
        self._woken.set()
        if self._loop is not None:
            self._loop.join(seconds)

    def is_held(self, effect: Effect) -> bool:
        """Whether an effect is still this process's: not after it stood still for too long."""
        with self._lock:
            hold = self._held.get(effect.id)
        return hold is not None and time.monotonic() < hold.until

    def end(self, effect: Effect, error: Exception | None) -> None:
        """Note how a try has ended; a database that is away is waited for."""
        try:
            while not self._note(effect, error) and not self._stopping:
                time.sleep(LOOK_AGAIN_SECONDS)
        finally:
            self.let_go(effect)

    def let_go(self, effect: Effect) -> None:
        """Hold an effect no longer; what is not done falls due again."""
        with self._lock:
            self._held.pop(effect.id, None)
        self._woken.set()

    def forget(self, before: float) -> int:
        """Forget what was done before a moment, and return how much that was."""
        with self._store.writing() as connection:
            return remove_done_effects(connection, before)

    def _note(self, effect: Effect, error: Exception | None) -> bool:
        try:
            with self._store.writing() as connection:
                note_try(connection, effect, self._rules.now(), error)
        except PlatformError as reason:
            _log.warning("the end of the effect %s cannot be noted yet: %s", effect.id, reason)
            return False
        return True

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
                    self._follow_clock()
                    pause = self._hand_out()
            except PlatformError as error:
                _log.warning("effects cannot be looked after: %s", error)
            except Exception:  # noqa: BLE001 (a worker's loop: nobody would go on in its place)
                _log.exception("effects cannot be looked after")
            self._woken.wait(pause)

    def _follow_clock(self) -> None:
        """Where the clock was set back, have nothing wait until it gets there again."""
        ahead = self._measure_clock()
        if (seconds := self._ahead - ahead) >= SET_BACK_SECONDS:
            with self._store.writing() as connection:
                count = move_effects(connection, self._rules.now(), seconds)
            _log.warning(
                "the clock was set back by %.0f s; effects that follow it: %d", seconds, count
            )
        self._ahead = ahead

    def _measure_clock(self) -> float:
        """Return by how much the clock is ahead of the steady one, which nobody sets."""
        while True:
            before, now = time.monotonic(), self._rules.now()
            # Whoever stood still between the two would take that for a change of the clock.
            if time.monotonic() - before < SET_BACK_SECONDS / 2:
                return now - before

    def _hand_out(self) -> float:
        """Hand out what is due, and return the seconds until there may be more."""
        free = self._rules.at_once - len(self._held)
        if free <= 0:
            return LOOK_AGAIN_SECONDS
        full = self._find_full()
        for effect in list_due(self._store, self._kinds, self._rules.now(), free, full):
            if effect.lane not in self._find_full() and self._hold(effect):
                self._begin_or_let_go(effect)
        due = find_next_due(self._store, self._kinds, self._find_full())
        # What is held is held for longer from time to time.
        pause = LOOK_AGAIN_SECONDS if self._held else self._rules.pause()
        if due is None or len(self._held) >= self._rules.at_once:
            return pause
        return min(max(due - self._rules.now(), 0.0), pause)

    def _find_full(self) -> list[str]:
        """Return the lanes of which nothing more is handed out now."""
        with self._lock:
            counts = Counter(it.lane for it in self._held.values())
        return [it for it in counts if it and counts[it] >= self._rules.at_once_in_lane]

    def _begin_or_let_go(self, effect: Effect) -> None:
        try:
            self._begin(effect)
        except Exception as error:  # noqa: BLE001 (a loop's boundary: it must go on)
            _log.warning("the effect %s cannot be begun: %s", effect.id, describe(error))
            self.let_go(effect)

    def _hold(self, effect: Effect) -> bool:
        until, lease = self._rules.now() + HOLD_SECONDS, time.monotonic() + HOLD_SECONDS
        with self._store.writing() as connection:
            held = hold_effect(connection, effect, self._rules.owner, until)
        if held:
            with self._lock:
                self._held[effect.id] = _Hold(lease, effect.lane)
        return held

    def _renew(self) -> None:
        """Hold for longer what is not done yet."""
        with self._lock:
            held = list(self._held)
        if not held:
            return
        until, lease = self._rules.now() + HOLD_SECONDS, time.monotonic() + HOLD_SECONDS
        with self._store.writing() as connection:
            lost = keep_holding(connection, held, self._rules.owner, until)
        with self._lock:
            for key in lost:
                self._held.pop(key, None)
            for key in self._held.keys() & held:
                self._held[key] = self._held[key]._replace(until=lease)
