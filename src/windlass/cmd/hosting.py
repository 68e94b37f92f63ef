"""What a server process is made of, put together and taken apart again in order."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from windlass.cmd.background import carry_out_effects
from windlass.cmd.data_folder import holding_database
from windlass.cmd.tidying import Tidying
from windlass.db.server_database import ServerDatabase
from windlass.engine.server.changes import EFFECTS, Changes
from windlass.engine.server.leases import Watch
from windlass.model.values import dataclass, replace
from windlass.operations.hosted.attempts import make_runs
from windlass.operations.hosted.retention import read_limits
from windlass.operations.hosted.secrets import StoredValues
from windlass.operations.hosted.site import Site
from windlass.operations.hosted.tokens import write_bootstrap_token
from windlass.operations.hosted.watching import EventWatch, read_catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS_TO_END: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server is to be: its folder, which is there, its database, and whom it trusts.

    `allowed_hosts` are names, addresses and networks inside of its own network from which
    repositories may be fetched.
    """

    data: Path
    database: str
    allowed_hosts: tuple[str, ...] = ()


@contextlib.contextmanager
def hosting(options: Options, address: str) -> Iterator[Site]:
    """Open a server's parts and have it work in the background; `address` is where it is found.

    Raises:
        InputError: another server has the folder, or the database's address is none.
        PlatformError: the database cannot be used, or a file not be written.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(holding_database(options.data, options.database))
        store = ServerDatabase(options.database)
        stack.callback(store.close)
        site = _make_site(options, store, address)
        write_bootstrap_token(site)
        effects = carry_out_effects(site, options.database, site.id)
        effects.start()
        stack.callback(effects.stop, _SECONDS_TO_END)
        stack.callback(site.changes.listen(lambda it: effects.wake() if it == EFFECTS else None))
        tidying = Tidying(site, effects, read_limits(os.environ))
        tidying.start()
        stack.callback(tidying.stop)
        watch = Watch(store, site.runs, site.changes, now=site.now, name=site.id)
        watch.start()
        stack.callback(watch.stop)
        events = EventWatch(site, catch_up=read_catch_up(os.environ))
        events.start()
        stack.callback(events.stop)
        yield site


def _make_site(options: Options, store: ServerDatabase, address: str) -> Site:
    changes = Changes()
    site = Site(
        store=store,
        data=options.data,
        runs=make_runs(store, changes),
        changes=changes,
        address=address,
        now=time.time,
        allowed_hosts=options.allowed_hosts,
    )
    return replace(site, values=StoredValues(site))
