"""What a server does besides answering: effects that fall due, and letters between its runs."""

from __future__ import annotations

import functools
import logging
import threading
from typing import TYPE_CHECKING, Final

from windlass.db.repositories import find_repository
from windlass.engine.effects.dbos import DbosEffects, place_tables
from windlass.engine.effects.desk import Rules
from windlass.engine.server.changes import INBOX
from windlass.errors import WindlassError
from windlass.operations.hosted.deliveries import DELIVERY, process_delivery
from windlass.operations.hosted.repositories import MIRROR, fetch_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.engine.effects.interface import Effect, Effects, Handler
    from windlass.operations.hosted.site import Site

ROUND_SECONDS: Final = 0.5
"""How soon is found what another server has committed."""

_log = logging.getLogger(__name__)


def carry_out_effects(site: Site, database: str, owner: str) -> Effects:
    """Return what carries out the effects of a server; `owner` names this process."""
    rules = Rules(owner=owner, now=site.now)
    return DbosEffects(site.store, find_handlers(site), rules, place_tables(database, site.data))


def find_handlers(site: Site) -> Mapping[str, Handler]:
    """Return what carries out an effect, by its kind."""
    return {
        DELIVERY: lambda effect: process_delivery(site, effect.payload["delivery"]),
        MIRROR: functools.partial(_fetch, site),
    }


def _fetch(site: Site, effect: Effect) -> None:
    row = find_repository(site.store, effect.payload["repository"])
    if row is not None:
        fetch_repository(site, row)


class Rounds:
    """Tells runs what is in their inboxes: at once what this process commits, soon the rest."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ended = False
        self._thread = threading.Thread(target=self._go_on, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way."""
        self._ended = True
        self._site.changes.tell(INBOX)
        self._thread.join()

    def _go_on(self) -> None:
        changes = self._site.changes
        while not self._ended:
            seen = changes.count(INBOX)
            try:
                self._site.runs.deliver()
            except WindlassError as error:
                _log.warning("letters to runs cannot be delivered: %s", error)
            changes.wait(INBOX, seen, ROUND_SECONDS)
