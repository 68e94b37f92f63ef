"""Windlass as it was at an earlier commit of this repository, in an environment of its own."""

from __future__ import annotations

import fcntl
import io
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

import pytest
from tests.npm import CACHE

CHECKOUT = Path(__file__).resolve().parent.parent


def build_earlier_version(commit: str) -> str:
    """Return the interpreter whose Windlass is the one of a commit; it is built once.

    Skips where the clone does not have the commit.
    """
    home = CACHE / f"windlass-{commit}"
    home.mkdir(parents=True, exist_ok=True)
    script, python = home / "python", home / "environment/bin/python"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = home / ".built"
        if not built.is_file() or built.read_text() != sys.executable:
            _build(commit, python)
            script.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec {python} "$@"\n')
            script.chmod(0o755)
            built.write_text(sys.executable)
    return str(script)


def _build(commit: str, python: Path) -> None:
    """Install it with all that it asked for then, which need not be what is asked for today."""
    venv.create(python.parent.parent, clear=True, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    with tempfile.TemporaryDirectory() as source:
        with tarfile.open(fileobj=io.BytesIO(_read_source(commit))) as archive:
            archive.extractall(source, filter="data")
        subprocess.run([*pip, "install", "--quiet", f"{source}[server]"], check=True)


def _read_source(commit: str) -> bytes:
    words = ["git", "-c", "safe.directory=*", "archive", "--format=tar", commit]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True)
    if done.returncode:
        pytest.skip(f"this clone does not have the commit {commit}: `git fetch --unshallow`")
    return done.stdout
