"""What a server does when an effect falls due, and by what: see docs/decisions/effects.md."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.cmd.server_options import require_server_packages
from windlass.engine.effects.desk import Rules
from windlass.engine.effects.threads import ThreadedEffects
from windlass.errors import InputError
from windlass.operations.hosted.watching import list_handlers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.engine.effects.interface import Effects
    from windlass.operations.hosted.site import Site

VARIABLE: Final = "WINDLASS_EFFECTS"
THREADS: Final = "threads"
DBOS: Final = "dbos"
DEFAULT: Final = THREADS


def carry_out_effects(
    site: Site, database: str, owner: str, variables: Mapping[str, str] = os.environ
) -> Effects:
    """Return what carries out the effects of a server; `owner` names this process.

    Raises:
        InputError: a variable names something that does not do so.
        UsageError: what it names is not installed.
    """
    rules = Rules(
        owner=owner,
        alone=database.startswith("sqlite"),
        pause=lambda: site.changes.pause,
        now=site.now,
    )
    chosen = variables.get(VARIABLE) or DEFAULT
    if chosen == THREADS:
        return ThreadedEffects(site.store, list_handlers(site), rules)
    if chosen != DBOS:
        raise InputError(f"{VARIABLE} is '{chosen}': it has to be {THREADS} or {DBOS}")
    require_server_packages((DBOS,))
    # Imported only where it is asked for: that takes half a second.
    from windlass.engine.effects.dbos import DbosEffects, place_tables

    return DbosEffects(site.store, list_handlers(site), rules, place_tables(database, site.data))
