"""Forgets what is old while a server runs: soon after its start, and every hour then."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from windlass.errors import WindlassError
from windlass.operations.hosted.retention import remove_what_is_old

if TYPE_CHECKING:
    from windlass.engine.effects.interface import Effects
    from windlass.operations.hosted.retention import Limits
    from windlass.operations.hosted.site import Site

FIRST_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 3600.0

_log = logging.getLogger(__name__)


class Tidying:
    """A thread that removes what is beyond the limits, from `start` until `stop`."""

    def __init__(
        self,
        site: Site,
        effects: Effects,
        limits: Limits,
        *,
        first_seconds: float = FIRST_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._site = site
        self._effects = effects
        self._limits = limits
        self._first_seconds = first_seconds
        self._pause_seconds = pause_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="tidying", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End, and wait so long for what is being removed."""
        self._ended.set()
        self._thread.join(seconds)

    def _go_on(self) -> None:
        pause = self._first_seconds
        while not self._ended.wait(pause):
            pause = self._pause_seconds
            try:
                removed = remove_what_is_old(self._site, self._effects, self._limits)
            except WindlassError as error:
                _log.warning("what is old cannot be removed: %s", error)
            except Exception:  # noqa: BLE001 (a worker's loop: the next round may do better)
                _log.exception("what is old cannot be removed")
            else:
                _log.info("what is old was removed: %s", removed)
