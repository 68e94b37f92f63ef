"""Small images for tests: programs of this machine with the libraries they need, no registry."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.docker.images import import_image, inspect_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.docker.engine import Engine

TOOLS = ("sh", "cat", "chown", "env", "find", "id", "ls", "mkdir", "rm", "sleep", "sort", "stat")
CONTENT = "windlass-test.content"
"""The label of such an image: the digest of what it was made of."""


def make_tools_image(
    engine: Engine, name: str, programs: Iterable[str] = TOOLS, *, without: str = ""
) -> None:
    """Make an image in which a shell and a few programs run; it lacks the program `without`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path in sorted(_list_files(programs)):
            if without and Path(path).name == without:
                continue
            archive.add(Path(path).resolve(), arcname=path.lstrip("/"))
        for folder in ("tmp", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
    content = hashlib.sha256(file.getvalue()).hexdigest()
    found = inspect_image(engine, name)
    if found is None or (found.config.get("Labels") or {}).get(CONTENT) != content:
        changes = ["ENV PATH=/bin", f"LABEL {CONTENT}={content}"]
        import_image(engine, [file.getvalue()], name, changes=changes)


def _list_files(programs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for program in programs:
        path = shutil.which(program)
        assert path is not None, program
        name = f"/bin/{program}"
        found.add(name if Path(name).exists() else path)
        told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        words = (word for line in told.splitlines() for word in line.split())
        found.update(word for word in words if word.startswith("/"))
    return found
