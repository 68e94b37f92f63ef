"""A shell for containers whose image has none: that of this machine, with the libraries it needs.

It is put into the job's folder, which the container sees, and started through its own loader, so
that nothing of the image is needed. It starts the steps as the shell of an image would; no step
finds it by name, and a step that is a script fails for want of a shell, as it should.

Source: https://man7.org/linux/man-pages/man8/ld.so.8.html, man5/elf.5.html
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

from windlass.errors import ExecutorError
from windlass.model.values import dataclass

IMAGE_SHELL: Final = ("/bin/sh",)

_FOLDER: Final = "own"
_SHELLS: Final = ("dash", "sh")
_SESSION: Final = "setsid"
_PATH: Final = "/bin:/usr/bin:/usr/local/bin"
_READABLE: Final = 0o755
_LIBRARY: Final = re.compile(r"^\s*(\S+) => (/.*) \(0x[0-9a-f]+\)$", re.MULTILINE)
_SECONDS: Final = 10
_HEAD: Final = struct.Struct("<4sBB10x2HI3QI6H")
_SEGMENT: Final = struct.Struct("<2I6Q")
_ELF, _64_BITS, _LITTLE, _INTERPRETER = b"\x7fELF", 2, 1, 3


@dataclass(frozen=True, slots=True)
class OwnShell:
    """The words that start it in the container, and those that start a script in a new session."""

    words: tuple[str, ...]
    starter: tuple[str, ...]


def provide_shell(control: Path, inside: str) -> OwnShell:
    """Put a shell of this machine into the folder `control`, which the container calls `inside`.

    Raises:
        ExecutorError: there is none that could be taken along.
        OSError: the file system refused.
    """
    shell = next(filter(None, (shutil.which(name, path=_PATH) for name in _SHELLS)), None)
    if shell is None:
        raise ExecutorError("this machine has no shell in /bin or /usr/bin")
    folder = control / _FOLDER
    folder.mkdir(mode=_READABLE, exist_ok=True)
    folder.chmod(_READABLE)
    where = f"{inside}/{_FOLDER}"
    words = _provide(Path(shell), folder, where)
    session = shutil.which(_SESSION, path=_PATH)
    return OwnShell(words, (*(_provide(Path(session), folder, where) if session else ()), *words))


def _provide(program: Path, folder: Path, where: str) -> tuple[str, ...]:
    """Copy a program with what it loads; return the words that start it in the container."""
    name = program.name
    _copy(program, folder / name)
    loader = _read_loader(program)
    if loader is None:
        return (f"{where}/{name}",)
    _copy(loader, folder / loader.name)
    for library, path in _list_libraries(loader, program):
        _copy(Path(path), folder / library)
    return (f"{where}/{loader.name}", "--library-path", where, f"{where}/{name}")


def _copy(source: Path, target: Path) -> None:
    if not target.exists():
        shutil.copyfile(source, target)
        target.chmod(_READABLE)


def _list_libraries(loader: Path, program: Path) -> list[tuple[str, str]]:
    """Return the libraries that a program loads: what it calls them, and where they are.

    Raises:
        ExecutorError: the loader does not say.
    """
    done = subprocess.run(
        [loader, "--list", program], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise ExecutorError(f"{loader} does not tell what {program} loads: {done.stderr.strip()}")
    return _LIBRARY.findall(done.stdout)


def _read_loader(program: Path) -> Path | None:
    """Return the loader that a program names; None for a static one.

    Raises:
        ExecutorError: it is no program of a 64-bit machine.
    """
    with program.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or head[:6] != _ELF + bytes((_64_BITS, _LITTLE)):
            raise ExecutorError(f"{program} is no program that could be taken into a container")
        _, _, _, _, _, _, _, table, _, _, _, size, count, *_ = _HEAD.unpack(head)
        for number in range(count):
            file.seek(table + number * size)
            kind, _, offset, _, _, length, *_ = _SEGMENT.unpack(file.read(_SEGMENT.size))
            if kind == _INTERPRETER:
                file.seek(offset)
                return Path(file.read(length).rstrip(b"\0").decode())
    return None
