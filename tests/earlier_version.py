"""Windlass as it was at an earlier commit of this repository, in an environment of its own."""

from __future__ import annotations

import fcntl
import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest
from tests.npm import CACHE

CHECKOUT = Path(__file__).resolve().parent.parent


def build_earlier_version(commit: str) -> str:
    """Return the interpreter whose Windlass is the one of a commit; it is built once.

    What Windlass needs it takes from the environment of the tests. Skips where the clone does not
    have the commit.
    """
    home = CACHE / f"windlass-{commit}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = home / ".built"
        needed = f"{sys.executable}\n{sysconfig.get_path('purelib')}\n"
        if not built.is_file() or built.read_text() != needed:
            _build(commit, home)
            built.write_text(needed)
    return str(home / "python")


def _build(commit: str, home: Path) -> None:
    shutil.rmtree(home / "source", ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(_read_source(commit))) as archive:
        archive.extractall(home / "source", filter="data")
    venv.create(home / "environment", clear=True, symlinks=True)
    (packages,) = (home / "environment/lib").glob("python*/site-packages")
    # The earlier source comes first; a `.pth` file of the tests' environment counts for nothing.
    paths = (home / "source/src", sysconfig.get_path("purelib"))
    (packages / "earlier.pth").write_text("".join(f"{it}\n" for it in paths))
    script = home / "python"
    script.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec {home}/environment/bin/python "$@"\n')
    script.chmod(0o755)


def _read_source(commit: str) -> bytes:
    words = ["git", "-c", "safe.directory=*", "archive", "--format=tar", commit, "src"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True)
    if done.returncode:
        pytest.skip(f"this clone does not have the commit {commit}: `git fetch --unshallow`")
    return done.stdout
