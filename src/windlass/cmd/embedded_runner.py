"""The runner that comes with a server: a process of its own, started again when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from windlass.operations.hosted.runners import create_registration, list_runners

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME: Final = "embedded"
TOKEN_VARIABLE: Final = "WINDLASS_RUNNER_TOKEN"
PATIENCE_SECONDS: Final = 10.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 30.0
_SECONDS_TO_END: Final = 15.0
_LOOK_SECONDS: Final = 0.1
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
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="runner", daemon=True)

    def start(self) -> None:
        """Start the process."""
        self._thread.start()

    def stop(self) -> None:
        """Have the process end its jobs, and wait for that; it is killed where it does not."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(_SECONDS_TO_END + 1)

    @property
    def state(self) -> Path:
        """The runner's own folder."""
        return self._site.data / "runner"

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            started = self._site.now()
            code = self._run_once()
            if self._ended.is_set():
                return
            self._tell(f"the runner of this server has ended with {code}, and is started again")
            if self._site.now() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            self._ended.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _run_once(self) -> int:
        """Start the process, and wait until it has ended or is to."""
        words = ["--url", self._site.address, "--name", NAME, "--state", str(self.state)]
        # Tokens, keys and the database lie there, and a sandbox shows what is not hidden from it.
        words += ["--hide", str(self._site.data)]
        variables = {**os.environ, **self._find_token()}
        # Its own group: Ctrl-C at the terminal is for the server, which ends it in good order.
        process = subprocess.Popen(
            [sys.executable, "-m", "windlass", "runner", *words, *self._options],
            env=variables,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        while True:
            try:
                return process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if self._ended.is_set():
                    return _end(process)

    def _find_token(self) -> dict[str, str]:
        """Return the variable with a registration token, where the runner is not known yet."""
        known = any(it.row.name == NAME for it in list_runners(self._site))
        if known and (self.state / "runner.json").exists():
            return {}
        return {TOKEN_VARIABLE: create_registration(self._site, patience=PATIENCE_SECONDS).token}


def _end(process: subprocess.Popen[bytes]) -> int:
    # The first signal lets jobs finish, the second cancels them.
    process.terminate()
    try:
        return process.wait(_SECONDS_BETWEEN)
    except subprocess.TimeoutExpired:
        # Not at once: two signals that wait to be heard are one.
        process.terminate()
    try:
        return process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
