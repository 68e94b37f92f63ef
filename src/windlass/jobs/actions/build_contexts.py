"""What a Dockerfile is built from: its folder as a tar, without what `.dockerignore` names.

The tar of the same content is the same, byte by byte, so that its digest stands for the image.
Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from typing import TYPE_CHECKING, Final

from windlass.jobs.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import IO

IGNORE_FILE: Final = ".dockerignore"
_LARGEST_IGNORE_FILE: Final = 1 << 20
_BLOCK_BYTES: Final = 1 << 20


class IgnoreRules:
    """The patterns of a `.dockerignore`: the last one that matches a path, or a folder around it,
    decides.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = tuple(_read_rules(lines))
        self.has_exceptions = any(not ignores for _, ignores in self._rules)

    def ignores(self, path: str) -> bool:
        """Tell whether a path, relative and with `/`, stays out of the context."""
        parts = path.split("/")
        names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        ignored = False
        for pattern, ignores in self._rules:
            if ignores != ignored and any(pattern.fullmatch(name) for name in names):
                ignored = ignores
        return ignored


def read_ignore_rules(folder: Path, dockerfile: str) -> IgnoreRules:
    """Read the rules of a context: `DOCKERFILE.dockerignore`, or else `.dockerignore`.

    Raises:
        UnusableFileError, OSError: the file cannot be read.
    """
    for name in (f"{dockerfile}{IGNORE_FILE}", IGNORE_FILE):
        data = read_bounded(folder / name, _LARGEST_IGNORE_FILE)
        if data is not None:
            # The daemon needs these two even where they are ignored.
            own = (f"!{dockerfile}", f"!{IGNORE_FILE}")
            return IgnoreRules((*data.decode("utf-8", "replace").splitlines(), *own))
    return IgnoreRules(())


def write_context(folder: Path, dockerfile: str, file: IO[bytes]) -> str:
    """Write the tar of a context and return its digest, which counts the Dockerfile's name too.

    Owners and times are left out, as they say nothing about the content.

    Raises:
        UnusableFileError, OSError: something in the folder cannot be read.
    """
    rules = read_ignore_rules(folder, dockerfile)
    hashing = _HashingFile(file)
    hashing.digest.update(f"{dockerfile}\0".encode())
    with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in _list_paths(folder, rules):
            entry = archive.gettarinfo(folder / path, arcname=path)
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            if entry.isreg():
                with open(folder / path, "rb", opener=_open_itself) as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
    return hashing.digest.hexdigest()


def _open_itself(path: str, flags: int) -> int:
    """Open a file, and not what a link leads to that has just taken its place."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


class _HashingFile(io.RawIOBase):
    """Passes on what is written, and knows its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        block = bytes(data)  # type: ignore[call-overload]
        self.digest.update(block)
        self._file.write(block)
        return len(block)


def _list_paths(folder: Path, rules: IgnoreRules) -> Iterator[str]:
    """Yield the files and folders of a context in order; links are not followed."""
    for around, folders, files in os.walk(folder):
        lead = os.path.relpath(around, folder)
        prefix = "" if lead == "." else f"{lead}/"
        for name in sorted([*folders, *files]):
            if not rules.ignores(f"{prefix}{name}") and not (folder / prefix / name).is_socket():
                yield f"{prefix}{name}"
        folders[:] = sorted(
            name for name in folders if rules.has_exceptions or not rules.ignores(f"{prefix}{name}")
        )


def _read_rules(lines: Iterable[str]) -> Iterator[tuple[re.Pattern[str], bool]]:
    for line in lines:
        text = line.strip()
        if not text or line.startswith("#"):
            continue
        ignores = not text.startswith("!")
        cleaned = os.path.normpath(text.removeprefix("!").strip()).lstrip("/")
        if cleaned != ".":
            yield _compile_pattern(cleaned), ignores


def _compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return what a pattern matches: as Go's `filepath.Match`, and `**` for any folders."""
    return re.compile("".join(_translate(pattern)), re.DOTALL)


def _translate(pattern: str) -> Iterator[str]:
    at = 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            yield "(?:.*/)?"
            at += 3
        elif rest.startswith("**"):
            yield ".*"
            at += 2
        elif found := _CLASS.match(rest):
            yield f"[{found[1].replace('[', chr(92) + '[')}]"
            at += found.end()
        elif rest[0] == "\\" and len(rest) > 1:
            yield re.escape(rest[1])
            at += 2
        else:
            yield _WILD.get(rest[0]) or re.escape(rest[0])
            at += 1


_WILD: Final = {"*": "[^/]*", "?": "[^/]"}
_CLASS: Final = re.compile(r"\[(\^?(?:\\.|[^\]\\])+)\]")


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what is in a file, from its beginning."""
    file.seek(0)
    while block := file.read(_BLOCK_BYTES):
        yield block
