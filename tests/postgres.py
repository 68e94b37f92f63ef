"""A PostgreSQL server for the tests that need one, started where its programs are installed.

It is shared by all tests of a process and has a database for each; DSNs are sockets in a folder, so
nothing listens on the network. As root it runs as nobody's user, since PostgreSQL refuses root.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_USER = "postgres"
_numbers = itertools.count(1)


def find_programs() -> Path | None:
    """Return where PostgreSQL's programs are: Debian does not put them on PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


class PostgresServer:
    """A server that runs; `make_database` gives the address of a new, empty database."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._as = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
        self._as = self._as if os.getuid() == 0 else []

    def start(self) -> None:
        if os.getuid() == 0:
            shutil.chown(self.folder, _USER)
        data = self.folder / "data"
        # Whatever the locale of this machine: without one there is no encoding either.
        same = ("--encoding=UTF8", "--no-locale")
        words = ("--auth=trust", f"--username={_USER}", "--no-sync", *same)
        self._call("initdb", "--pgdata", data, *words)
        self.resume()

    def resume(self) -> None:
        options = f"-k {self.folder} -h '' -c fsync=off -c max_connections=200"
        data, log = self.folder / "data", self.folder / "log"
        self._call("pg_ctl", "--pgdata", data, "--options", options, "--log", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        data = self.folder / "data"
        self._call("pg_ctl", "--pgdata", data, "--mode", mode, "-w", "stop")

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or has given up."""
        try:
            pid = int((self.folder / "data/postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, IndexError):
            return False
        return True

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes, the one that starts others first."""
        first = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def make_database(self, *options: str) -> str:
        name = f"windlass_{next(_numbers)}"
        self._call("createdb", "--host", self.folder, "--username", _USER, *options, name)
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def _call(self, program: str, *arguments: object) -> None:
        words = [*self._as, str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(words, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def running_postgres(
    on_disk: Callable[[Path], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
) -> Iterator[PostgresServer]:
    """Have a server of our own as long as the block runs; its programs have to be there.

    `on_disk` makes a disk of its own for its folder, also as long as the block runs.
    """
    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed (apt-get install postgresql)"
    # A socket's path may have 107 bytes, and others must be able to get there.
    folder = Path(
        subprocess.check_output(["mktemp", "-d", "/tmp/windlass-pg.XXXXXX"], text=True)[:-1]
    )
    with on_disk(folder):
        folder.chmod(0o755)
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            if server.is_alive:
                server.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of our own."""
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'server.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.make_database()
