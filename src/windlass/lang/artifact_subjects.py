"""Lines of GITHUB_ARTIFACTS: the files and images that a step names as what it has made.

Source: actions/runner src/Runner.Worker/CreateArtifactsFileCommand.cs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_DIGEST: Final = re.compile(r"(?P<name>.+)@(?P<kind>sha(?:256|384|512)):(?P<digits>[0-9a-fA-F]+)")
_DIGITS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_FILE: Final = "file://"
_IMAGE: Final = "oci://"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a job has made: a file by its name, or an image by its reference, and its digest."""

    name: str
    digest: str
    kind: Literal["file", "oci"]


@dataclass(frozen=True, slots=True)
class SubjectFile:
    """A file whose digest is still to be computed, by the path that the step knows it under."""

    path: str


@dataclass(frozen=True, slots=True)
class EntryFault:
    """A line that means nothing; the message is the runner's."""

    message: str


def read_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the entries with the numbers of their lines, without empty lines and comments."""
    for number, line in enumerate(_LINE_END.split(text), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield number, entry


def parse_entry(entry: str) -> Subject | SubjectFile | EntryFault:
    """Return what a line names: a path, or an image with its digest behind an `@`."""
    if "=" in entry:
        return EntryFault("entries containing '=' are reserved and not permitted")
    start = entry.lower()
    if start.startswith(_FILE):
        path = entry[len(_FILE) :]
        return SubjectFile(path) if path.strip() else _refuse_empty_path()
    if start.startswith(_IMAGE):
        match = _DIGEST.fullmatch(entry[len(_IMAGE) :])
        if match is None:
            return EntryFault("oci:// entries must include an @sha{256,384,512}:<hex> digest")
        return _make_image(match)
    if _SCHEME.match(entry):
        return EntryFault("unsupported URI scheme")
    match = _DIGEST.fullmatch(entry)
    if match is not None and len(match["digits"]) == _DIGITS[match["kind"]]:
        return _make_image(match)
    return SubjectFile(entry)


def _refuse_empty_path() -> EntryFault:
    return EntryFault("file:// entries must include a path")


def _make_image(match: re.Match[str]) -> Subject | EntryFault:
    kind, digits = match["kind"], match["digits"].lower()
    if len(digits) != _DIGITS[kind]:
        expected = _DIGITS[kind]
        return EntryFault(f"digest '{kind}' must be {expected} hex characters, got {len(digits)}")
    return Subject(match["name"], f"{kind}:{digits}", "oci")
