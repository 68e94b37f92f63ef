"""Which process has made things in which daemon: where a later command has to look.

A file for each in the user's cache, shared by all repositories. It goes with the process, and stays
where that was killed: the next command looks there, and removes it. A daemon that is not there is
looked for again, but not for ever: it may have been of another machine, or of a test.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Final

from windlass.jobs.containers.labels import is_abandoned, name_owner
from windlass.model.values import dataclass
from windlass.stores.user_cache import DAEMONS, find_user_cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LONGEST_SECONDS: Final = 7 * 24 * 3_600
"""For so long a daemon is looked for that is not there any more."""


@dataclass(frozen=True, slots=True)
class FormerUser:
    """A process that has ended: the daemon that it used, and the file that says so."""

    address: str
    file: Path

    @property
    def is_worth_a_look(self) -> bool:
        """Whether its daemon may be there, or has been looked for long enough to be forgotten."""
        kind, _, path = self.address.partition("://")
        return kind != "unix" or os.path.exists(path) or self.is_out_of_date  # noqa: PTH110

    @property
    def is_out_of_date(self) -> bool:
        """Whether its daemon has been looked for long enough."""
        with contextlib.suppress(OSError):
            return time.time() - self.file.stat().st_mtime > LONGEST_SECONDS
        return False

    def forget(self) -> None:
        """Remove the file; another command may have done so."""
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)


def enter_user(address: str) -> None:
    """Write down that this process uses a daemon.

    Where that cannot be written, only the next command that uses the daemon will look there.
    """
    folder = find_user_cache() / DAEMONS
    name = f"{os.getpid()}-{os.urandom(6).hex()}"
    scratch = folder / f"{name}.new"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps({"owner": name_owner(), "address": address}), "utf-8")
        scratch.replace(folder / name)
        atexit.register(_leave, folder / name, os.getpid())


def _leave(file: Path, pid: int) -> None:
    """Remove the file of this process; a fork of it is another."""
    if pid == os.getpid():
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def list_former_users() -> Iterator[FormerUser]:
    """Yield those that are gone for certain; for others see `is_abandoned`."""
    try:
        files = list((find_user_cache() / DAEMONS).iterdir())
    except OSError:
        return
    for file in files:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(file.read_bytes())
            if is_abandoned(str(said["owner"])):
                yield FormerUser(str(said["address"]), file)
