"""The process that stands for a container, which is removed when that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.docker.containers import remove_container
from windlass.errors import DockerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.docker.engine import Engine
    from windlass.jobs.executors.host import HostSession
    from windlass.jobs.executors.interface import Process


class ContainerProcess:
    """A `Process` (see `windlass.jobs.executors.interface`) whose end is that of a container."""

    def __init__(
        self,
        attendant: Process,
        engine: Engine,
        container: str,
        session: HostSession,
        *,
        closes: bool,
        tidy: Callable[[], None],
    ) -> None:
        """Take the process that stands for the container, and the session in which it runs.

        The session is closed with the container if it `closes`; `tidy` is called when that is gone.
        """
        self.number = attendant.number
        self._attendant = attendant
        self._engine = engine
        self._container = container
        self._session = session
        self._closes = closes
        self._tidy = tidy

    def read(self) -> bytes:
        """Return the next block of output."""
        return self._attendant.read()

    def release(self, offset: int) -> None:
        """Keep what was printed before no longer."""
        self._attendant.release(offset)

    def wait(self) -> int:
        """Return the container's exit code, and leave nothing of it."""
        try:
            return self._attendant.wait()
        finally:
            self._remove()
            self._tidy()
            if self._closes:
                self._session.close()

    def interrupt(self) -> None:
        """Have SIGINT sent to the container."""
        self._attendant.interrupt()

    def terminate(self) -> None:
        """Have SIGTERM sent to the container."""
        self._attendant.terminate()

    def kill(self) -> None:
        """Kill the container and who stands for it."""
        self._attendant.kill()
        self._remove()

    def _remove(self) -> None:
        """Remove the container; where the daemon went away, the next command does it."""
        try:
            remove_container(self._engine, self._container)
        except DockerError:
            return
        self._session.unguard(self._container)
