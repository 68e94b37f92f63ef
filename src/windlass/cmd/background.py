"""What a server does when an effect falls due."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from windlass.db.repositories import find_repository
from windlass.engine.effects.dbos import DbosEffects, place_tables
from windlass.engine.effects.desk import Rules
from windlass.operations.hosted.deliveries import DELIVERY, process_delivery
from windlass.operations.hosted.repositories import MIRROR, fetch_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.engine.effects.interface import Effect, Effects, Handler
    from windlass.operations.hosted.site import Site


def carry_out_effects(site: Site, database: str, owner: str) -> Effects:
    """Return what carries out the effects of a server; `owner` names this process."""
    rules = Rules(owner=owner, alone=database.startswith("sqlite"), now=site.now)
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
