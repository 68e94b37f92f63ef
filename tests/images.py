"""Small images for tests: programs of this machine with the libraries they need, no registry."""

from __future__ import annotations

import functools
import hashlib
import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.docker.images import import_image, inspect_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.docker.engine import Engine

TOOLS = ("sh", "cat", "chown", "env", "find", "id", "ls", "mkdir", "rm", "sleep", "sort", "stat")
CONTENT = "windlass-test.content"
"""The label of such an image: the digest of what it was made of."""

_BLOCK_BYTES = 1 << 20

JOB_IMAGE = "windlass-test/job:1"
JOB_PROGRAMS = (
    *("base64", "basename", "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "find"),
    *("fold", "git", "grep", "head", "id", "ln", "ls", "mkdir", "mkfifo", "mv", "node", "perl"),
    *("printenv", "ps", "readlink", "rm", "sed", "seq", "setsid", "sh", "sha256sum", "sleep"),
    *("sort", "stat", "tail", "timeout", "touch", "tr", "true", "uname", "wc", "yes"),
)


@functools.cache
def provide_job_image(engine: Engine) -> str:
    """Make an image with what the jobs of tests use, and return its name."""
    make_tools_image(engine, JOB_IMAGE, JOB_PROGRAMS, with_python=True)
    return JOB_IMAGE


def make_tools_image(
    engine: Engine,
    name: str,
    programs: Iterable[str] = TOOLS,
    *,
    without: str = "",
    with_python: bool = False,
) -> None:
    """Make an image in which a shell and a few programs run; it lacks the program `without`."""
    archive = pack_tools(programs, without=without, with_python=with_python)
    content = hashlib.sha256(archive).hexdigest()
    found = inspect_image(engine, name)
    if found is None or (found.config.get("Labels") or {}).get(CONTENT) != content:
        changes = ["ENV PATH=/bin", f"LABEL {CONTENT}={content}"]
        import_image(engine, [archive], name, changes=changes)


def pack_tools(
    programs: Iterable[str] = TOOLS, *, without: str = "", with_python: bool = False
) -> bytes:
    """Return the tar of the file system of such an image."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, path in sorted(_list_files(programs).items()):
            if without and Path(name).name == without:
                continue
            archive.add(Path(path).resolve(), arcname=name.lstrip("/"))
        if with_python:
            _add_python(archive)
        for folder in ("tmp", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
    return file.getvalue()


def pack(files: Mapping[str, bytes | str], links: Mapping[str, str] | None = None) -> bytes:
    """Return a tar of files, each of which may be run, and of symbolic links to others.

    It is the context of an image that is built where it has a `Dockerfile`, else a file system.
    """
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return file.getvalue()


def read_blocks(archive: Path) -> Iterator[bytes]:
    """Yield a file in pieces, as the daemon takes it."""
    with archive.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _list_files(programs: Iterable[str]) -> dict[str, str]:
    """Return which files are put where: programs into `/bin`, libraries where they are here."""
    found: dict[str, str] = {}
    for program in programs:
        path = shutil.which(program)
        assert path is not None, program
        found[f"/bin/{program}"] = path
        found.update({library: library for library in _list_libraries(path)})
    return found


def _list_libraries(program: str) -> set[str]:
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    words = (word for line in told.splitlines() for word in line.split())
    return {word for word in words if word.startswith("/")}


def _add_python(archive: tarfile.TarFile) -> None:
    """Add the interpreter that runs the tests with its library, as `python` and `python3`."""
    program = Path(sys.base_prefix, "bin", Path(sys.executable).resolve().name)
    for path in (str(program), *sorted(_list_libraries(str(program)))):
        if path.lstrip("/") not in archive.getnames():
            archive.add(Path(path).resolve(), arcname=path.lstrip("/"))
    archive.add(sysconfig.get_path("stdlib"), filter=_without_packages)
    for name in ("python", "python3"):
        entry = tarfile.TarInfo(f"bin/{name}")
        entry.type, entry.linkname = tarfile.SYMTYPE, str(program)
        archive.addfile(entry)


def _without_packages(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    left_out = ("site-packages", "dist-packages", "test", "idlelib", "ensurepip", "__pycache__")
    name = Path(entry.name).name
    return None if name in left_out or name.startswith("config-") else entry
