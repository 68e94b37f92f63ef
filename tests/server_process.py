"""A process of a server, to be killed and stopped by tests.

    python -m tests.server_process DATABASE FOLDER

It prints the port at which it answers and does what a line of standard input says:

    hold RUN   open a transaction, lock the first attempt of a run in it and print `held`; with the
               next line, write to it and print how that went: `done` or `failed`
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosted_runs import open_site
from tests.hosted_site import check_token

from windlass.db.runs import lock_attempt
from windlass.engine.server.changes import LEAVING
from windlass.engine.server.leases import Watch
from windlass.errors import DatabaseError
from windlass.server.app import make_app
from windlass.server.serving import listen, serve

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site


def main(address: str, folder: str) -> None:
    with open_site(address, Path(folder)) as site, listen("127.0.0.1", 0) as listening:
        watch = Watch(site.store, site.runs, site.changes)
        watch.start()
        say(listening.getsockname()[1])
        threading.Thread(target=obey, args=(site,), daemon=True).start()
        app = make_app(site, check_token)
        serve(app, listening, on_leaving=lambda: site.changes.tell(LEAVING), grace=1)
        watch.stop()


def obey(site: Site) -> None:
    """Do what standard input says, and end with it."""
    for line in sys.stdin:
        _, run = line.split()
        try:
            hold(site, run)
            say("done")
        except DatabaseError:
            say("failed")
    signal.raise_signal(signal.SIGTERM)


def hold(site: Site, run: str) -> None:
    with site.store.writing() as connection:
        assert lock_attempt(connection, run, 1)
        say("held")
        sys.stdin.readline()
        connection.execute("UPDATE attempts SET result = 'failure' WHERE run = ?", (run,))


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
