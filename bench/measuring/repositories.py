"""Repositories to measure, and the time that commands take in them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WINDLASS = str(Path(sys.executable).with_name("windlass"))
IDENTITY = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")


def make_repository(folder: Path, workflows: Mapping[str, str] | None = None) -> Path:
    """Make a folder, with what is in it and these workflows, a Git repository with one commit."""
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in (workflows or {}).items():
        (place / name).write_text(text)
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*IDENTITY, "commit", "--quiet", "--message", "Measure me"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def write_job(steps: Sequence[str]) -> str:
    """Return a workflow of one job with these steps, each the text of a YAML mapping."""
    head = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
    return head + "".join(f"      - {step}\n" for step in steps)


def time_command(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> float:
    """Return the seconds until a command has ended in a folder, which must be with 0."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        **(variables or {}),
    }
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        said = done.stdout[-2000:] + done.stderr[-2000:]
        sys.exit(f"{command} ended with {done.returncode}:\n{said.decode()}")
    return seconds
