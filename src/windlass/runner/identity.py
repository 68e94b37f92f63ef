"""Who this runner is: its state folder, and the credential that the server has given it.

runner.json     the server's URL, the runner's id, name and credential (mode 600)
drawn.json      the credential of one that is about to register (`windlass.runner.registration`)
lock            held by the process that is this runner
runs            what is known of each job that is not told whole yet (`windlass.runner.records`)
repositories    for each repository: its mirror, and what local runs keep in `.windlass`
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.config.user_folders import find_state_folder
from windlass.errors import InputError, PlatformError, UsageError
from windlass.model.values import dataclass, field
from windlass.private_files import replace_private_file
from windlass.protocol.members import as_text, read_object, take
from windlass.stores.locks import is_locked, wait_for_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE: Final = "runner.json"
_LOCK: Final = "lock"
_HINT: Final = "The runner keeps its credential and the jobs that it runs there; --state names it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the server knows this runner as."""

    url: str
    runner: str
    name: str
    credential: str = field(repr=False)


def find_state(variables: Mapping[str, str], name: str) -> Path:
    """Return the folder of a runner that has none of its own."""
    return find_state_folder(variables) / "runners" / name


class RunnerState:
    """The state folder of one runner, which one process at a time has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None

    @property
    def runs(self) -> Path:
        """The records of jobs: `RUN/ATTEMPT/jobs/NUMBER`."""
        return self.folder / "runs"

    @property
    def repositories(self) -> Path:
        """A folder for each repository, by the server's id of it."""
        return self.folder / "repositories"

    def claim(self) -> None:
        """Make the folder, and have it until the process ends.

        Raises:
            UsageError: another process has it.
            PlatformError: it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another runner runs with the state folder {self.folder}",
                hint="give each runner of a machine a --name, or a --state, of its own",
            ) from error
        except OSError as error:
            raise PlatformError(
                f"{self.folder} cannot be used: {error.strerror}", hint=_HINT
            ) from error

    @property
    def is_claimed(self) -> bool:
        """Whether a process has it now."""
        return is_locked(self.folder / _LOCK)

    def await_release(self) -> None:
        """Wait until no process has it; others may wait as well."""
        wait_for_lock(self.folder / _LOCK)

    def release(self) -> None:
        """Let others have it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def read(self) -> Identity | None:
        """Return who this runner is; None where it is not registered yet.

        Raises:
            InputError: the file is not what was written.
            PlatformError: it cannot be read.
        """
        path = self.folder / _FILE
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlatformError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
        try:
            values, name = read_object(content, str(path)), str(path)
            names = ("url", "runner", "name", "credential")
            return Identity(**{it: take(values, it, as_text, name) for it in names})
        except InputError as error:
            raise InputError(error.message, hint="remove it, and register with a token") from error

    def write(self, identity: Identity) -> None:
        """Keep who this runner is, whole or not at all, where only its user can read it.

        Raises:
            PlatformError: the disk refuses.
        """
        path = self.folder / _FILE
        values = {
            "url": identity.url,
            "runner": identity.runner,
            "name": identity.name,
            "credential": identity.credential,
        }
        try:
            replace_private_file(path, json.dumps(values).encode())
        except OSError as error:
            raise PlatformError(
                f"{path} cannot be written: {error.strerror}", hint=_HINT
            ) from error

    def forget(self) -> None:
        """Remove the credential: the server no longer knows it."""
        with suppress(OSError):
            (self.folder / _FILE).unlink()
