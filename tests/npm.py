"""Packages from npm as clients for tests: installed once, into a cache outside of the checkout."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

CACHE = Path(os.environ.get("WINDLASS_TEST_CACHE") or Path.home() / ".cache" / "windlass-tests")
"""A job of Windlass's own run has another home, and is told of the one that is filled already."""
PATIENCE = (
    *("--fetch-retries=3", "--fetch-retry-factor=3", "--fetch-retry-mintimeout=1000"),
    *("--fetch-retry-maxtimeout=10000", "--fetch-timeout=60000"),  # milliseconds
)
"""A registry that is busy is asked again after 1, 3 and 9 seconds."""

SECONDS = 300.0
"""No script takes longer, on whatever machine, unless its test says so."""

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
"""What all processes of this run of tests have in common."""


def install(folder: str, *packages: str) -> Path:
    """Return a folder with these packages in its `node_modules`; skip where there are none.

    What could not be installed once is not tried again by others of the same run.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not on PATH: GitHub's packages cannot run")
    home = CACHE / folder
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done, failed = home / ".installed", home / ".failed"
        if not done.is_file() or done.read_text() != " ".join(packages):
            if failed.is_file() and failed.read_text().startswith(_RUN):
                pytest.skip(failed.read_text().removeprefix(_RUN))
            if why := _install(npm, home, packages):
                failed.write_text(f"{_RUN}{why}")
                pytest.skip(why)
            done.write_text(" ".join(packages))
    return home


def _install(npm: str, home: Path, packages: Sequence[str]) -> str:
    """Have npm install packages; return why it could not."""
    (home / "package.json").write_text('{"private": true}\n')
    options = ("--no-audit", "--no-fund", "--loglevel=error", "--no-progress", *PATIENCE)
    answer = subprocess.run(
        [npm, "install", *options, *packages], cwd=home, capture_output=True, text=True
    )
    if answer.returncode == 0:
        return ""
    return f"npm could not install {packages}: {answer.stderr.strip()[-300:]}"


class Node:
    """Runs scripts in a folder with packages; a script's last word is what it gives to `tell`."""

    PREAMBLE = """
const {writeFileSync} = require('node:fs');
const tell = value => writeFileSync(process.env.TELL, JSON.stringify(value ?? null));
(async () => {
"""
    END = "\n})().catch(error => { console.error(error.stack); process.exitCode = 1; });\n"

    def __init__(self, home: Path, folder: Path, variables: dict[str, str]) -> None:
        self.home = home
        self.folder = folder
        self.variables = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
        self.said = ""
        # Modules are looked for beside the script, never where NODE_PATH says.
        (folder / "node_modules").symlink_to(home / "node_modules")

    def run(self, script: str, *, seconds: float = SECONDS, **variables: str) -> Any:
        """Run a script of an asynchronous function and return what it told; it must not fail."""
        answer = self.folder / "told.json"
        answer.unlink(missing_ok=True)
        done = subprocess.run(
            [shutil.which("node") or "node", "-e", self.PREAMBLE + script + self.END],
            cwd=self.folder,
            env={
                **self.variables,
                "TELL": str(answer),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == 0, self.said
        return json.loads(answer.read_text()) if answer.exists() else None
