"""The runner that comes with a server: a process of its own, started again when it ends.

It leaves when its standard input does, and so with a server that is killed; its jobs go on, and the
runner of the next server on the folder looks after them, at whatever address that one is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from windlass.events.mirrors import find_mirrors
from windlass.model.values import replace
from windlass.operations.hosted.runners import create_registration, list_runners
from windlass.runner.identity import RunnerState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME: Final = "embedded"
TOKEN_VARIABLE: Final = "WINDLASS_RUNNER_TOKEN"
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 30.0
_SECONDS_TO_END: Final = 30.0
"""So long its jobs have to end; what is killed with them then cannot say how they did."""
_SECONDS_BETWEEN: Final = 0.5


class EmbeddedRunner:
    """Keeps one runner process; its credential lies in the server's folder."""

    def __init__(
        self, site: Site, *, capacity: int, allow_host: bool, tell: Callable[[str], None]
    ) -> None:
        """`tell` hears when the process has ended by itself."""
        self._site = site
        self._options = ["--capacity", str(capacity), *(["--allow-host"] if allow_host else [])]
        self._tell = tell
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="runner", daemon=True)

    def start(self) -> None:
        """Start the process."""
        self._thread.start()

    def stop(self) -> None:
        """Have the process end its jobs, and wait for that; it is killed where it does not."""
        self._ended.set()
        with self._lock:
            process = self._process
        if process is None:
            return
        # The first signal lets jobs finish, the second cancels them. Not at once: two signals that
        # wait to be heard are one.
        for seconds in (_SECONDS_BETWEEN, _SECONDS_TO_END):
            process.terminate()
            self._thread.join(seconds)
            if not self._thread.is_alive():
                return
        process.kill()
        self._thread.join()

    @property
    def state(self) -> Path:
        """The runner's own folder."""
        return self._site.data / "runner"

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            self._await_folder()
            started = self._site.now()
            code = self._run_once()
            if self._ended.is_set():
                return
            self._tell(f"the runner of this server has ended with {code}, and is started again")
            if self._site.now() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            self._ended.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _await_folder(self) -> None:
        """Wait until no other runner has the folder, such as that of another server on it."""
        state = RunnerState(self.state)
        if state.is_claimed:
            self._tell(
                f"another server's runner serves {self.state}; this server starts one when that "
                "has ended"
            )
            state.await_release()

    def _run_once(self) -> int:
        """Start the process, and wait until it has ended."""
        words = ["--url", self._site.address, "--name", NAME, "--state", str(self.state)]
        # Tokens, keys and the database lie there, and a sandbox shows what is not hidden from it.
        words += ["--hide", str(self._site.data), "--until-eof"]
        words += ["--mirrors", str(find_mirrors(self._site.data).folder)]
        variables = {**os.environ, **self._find_token()}
        with self._lock:
            if self._ended.is_set():
                return 0
            # Its own group: Ctrl-C at the terminal is for the server, which ends it in good order.
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "windlass", "runner", *words, *self._options],
                env=variables,
                stdin=subprocess.PIPE,
                process_group=0,
            )
        try:
            return process.wait()
        finally:
            with self._lock:
                self._process = None
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.close()

    def _find_token(self) -> dict[str, str]:
        """Return the variable with a registration token, where the runner is not known yet.

        One that is known is told where the server is now.
        """
        state = RunnerState(self.state)
        identity = state.read()
        if identity is None or not any(it.row.name == NAME for it in list_runners(self._site)):
            token = create_registration(self._site).token
            return {TOKEN_VARIABLE: token}
        if identity.url != self._site.address:
            # It is the same server, at another address.
            state.write(replace(identity, url=self._site.address))
        return {}
