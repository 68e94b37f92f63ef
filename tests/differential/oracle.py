"""GitHub's own packages as an oracle: installed by name into a cache, kept running.

The packages live in `~/.cache/windlass-tests/oracle`, or below WINDLASS_TEST_CACHE, and are never
part of the checkout. A script of ours beside a suite answers one JSON object a line; it may import
the packages by name. The workflow parser needs `is_bundled=True`, because it imports JSON without
an import attribute.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest
from tests import npm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PACKAGES = (
    "@actions/expressions@0.3.61",
    "@actions/workflow-parser@0.3.61",
    "@octokit/webhooks-examples@7.6.1",
    "esbuild@0.25.12",
)
CACHE = npm.CACHE / "oracle"
BATCH = 500


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other test processes out of the cache while it is being filled."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install() -> Path:
    """Return the folder with the packages, installing them first; skips the test if that fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not on PATH: GitHub's packages cannot run")
    stamp = CACHE / "installed.json"
    with _locked(CACHE):
        if stamp.is_file() and json.loads(stamp.read_text()) == list(PACKAGES):
            return CACHE
        (CACHE / "package.json").write_text('{"private": true, "type": "module"}\n')
        patience = ["--fetch-retries=1", "--fetch-timeout=60000"]  # milliseconds
        command = [npm, "install", "--no-audit", "--no-fund", "--silent", *patience, *PACKAGES]
        done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm could not install GitHub's packages: {done.stderr.strip()[-300:]}")
        stamp.write_text(json.dumps(PACKAGES))
    return CACHE


def _place(script: Path, *, is_bundled: bool) -> Path:
    """Return where a script can be run from, next to the packages it imports."""
    folder = install()
    text = script.read_bytes()
    name = f"{script.stem}-{hashlib.sha256(text).hexdigest()[:12]}"
    source = folder / f"{name}.mjs"
    with _locked(folder):
        source.write_bytes(text)
        if not is_bundled:
            return source
        bundle = folder / f"{name}.cjs"
        esbuild = folder / "node_modules" / ".bin" / "esbuild"
        options = ["--bundle", "--platform=node", "--format=cjs", "--log-level=error"]
        subprocess.run([esbuild, source, *options, f"--outfile={bundle}"], check=True, cwd=folder)
        return bundle


class Oracle:
    """A Node process that answers each line of JSON with one line of JSON."""

    def __init__(self, script: Path, *, is_bundled: bool = False) -> None:
        self._process = subprocess.Popen(
            ["node", _place(script, is_bundled=is_bundled)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)

    def ask(self, question: Any) -> Any:
        """Return the answer to one question."""
        return next(self.ask_all([question]))

    def ask_all(self, questions: Iterable[Any]) -> Iterator[Any]:
        """Yield the answers in order; questions are sent in batches, each before its answers."""
        batch: list[Any] = []
        for question in questions:
            batch.append(question)
            if len(batch) == BATCH:
                yield from self._exchange(batch)
                batch = []
        yield from self._exchange(batch)

    def _exchange(self, batch: list[Any]) -> Iterator[Any]:
        """Send a batch on one line, so that neither side waits for the other to read."""
        if not batch:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(batch).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the oracle's process ended; its message is above"
        yield from json.loads(line)
