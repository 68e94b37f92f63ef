"""What a server does when an effect falls due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.effects.dbos import DbosEffects, place_tables
from windlass.engine.effects.desk import Rules
from windlass.operations.hosted.watching import list_handlers

if TYPE_CHECKING:
    from windlass.engine.effects.interface import Effects
    from windlass.operations.hosted.site import Site


def carry_out_effects(site: Site, database: str, owner: str) -> Effects:
    """Return what carries out the effects of a server; `owner` names this process."""
    rules = Rules(owner=owner, alone=database.startswith("sqlite"), now=site.now)
    return DbosEffects(site.store, list_handlers(site), rules, place_tables(database, site.data))
