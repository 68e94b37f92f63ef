"""Finds the Node.js that runs actions in a job's container: its image's, or one of this machine.

GitHub's runner mounts its own. Here the image's is taken; where it has none, that of this machine
is put into the tool cache, which every container of a job sees.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.command import StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.jobs.place import StepPlace

PROVIDED: Final = "_node"
"""In the tool cache: programs of this machine, by version. No action looks for them there."""

_VERSION: Final = re.compile(rb"v(\d+)\.\d+\.\d+")


def list_image_nodes(
    major: int, place: StepPlace, find_own: Callable[[], Mapping[int, str]]
) -> Iterator[str]:
    """Yield the Node.js programs a container may run, the likeliest first, as it finds them.

    `find_own` returns those of this machine by their major version.

    Raises:
        StepError: one of this machine cannot be put where the container sees it.
    """
    cached = place.folders.tools.glob(f"node/{major}.*/*/bin/node")
    for path in sorted(cached, reverse=True):
        yield _name_inside(path, place)
    for name in (f"node{major}", "node", "nodejs"):
        found = place.session.find_program(name, search_path=place.base["PATH"])
        if found is not None:
            yield found
    own = find_own()
    newer_first = sorted(own, key=lambda version: (version != major, version < major, version))
    for version in newer_first:
        yield _name_inside(_provide(own[version], version, place), place)


def ask_image_version(program: str, place: StepPlace) -> int | None:
    """Return the major version of a Node.js of the container; None where it does not run."""
    try:
        process = place.session.spawn(
            [program, "--version"], variables=place.base, folder=str(place.inside.workspace)
        )
        output = b""
        while block := process.read():
            output += block
        process.release(len(output))
        code = process.wait()
    except (ExecutorError, OSError):
        return None
    match = _VERSION.match(output)
    return int(match[1]) if code == 0 and match else None


def _name_inside(path: Path, place: StepPlace) -> str:
    return str(place.inside.tools / path.relative_to(place.folders.tools))


def _provide(program: str, version: int, place: StepPlace) -> Path:
    """Put a program of this machine into the tool cache, unless it is there already."""
    source = Path(program).resolve()
    facts = source.stat()
    name = f"{version}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
    target = place.folders.tools / PROVIDED / name / "node"
    if target.exists():
        return target
    beside = target.with_name(f"node.{os.urandom(8).hex()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, beside)
        beside.replace(target)
    except OSError as error:
        raise StepError(
            f"Node.js of this machine cannot be put into {target.parent}: {error.strerror}"
        ) from error
    return target
