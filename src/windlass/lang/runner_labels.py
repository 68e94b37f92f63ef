"""The labels of `runs-on`, as far as the file shows them, and the ones GitHub knows.

Source: https://docs.github.com/en/actions/reference/runners/github-hosted-runners
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.lang.matrix_shape import read_matrix
from windlass.lang.tokens import ExpressionToken, MappingToken, SequenceToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import Job

System: TypeAlias = Literal["linux", "windows", "macos"]
Architecture: TypeAlias = Literal["X64", "ARM", "ARM64"]

HOSTED_LABELS: frozenset[str] = frozenset(
    {
        *("ubuntu-latest", "ubuntu-slim", "ubuntu-26.04", "ubuntu-26.04-arm", "ubuntu-24.04"),
        *("ubuntu-24.04-arm", "ubuntu-22.04", "ubuntu-22.04-arm"),
        *("windows-latest", "windows-2025", "windows-2025-vs2026", "windows-2022"),
        *("windows-11-arm", "windows-11-vs2026-arm"),
        *("macos-latest", "macos-latest-large", "macos-latest-xlarge"),
        *("macos-26", "macos-26-intel", "macos-26-large", "macos-26-xlarge"),
        *("macos-15", "macos-15-intel", "macos-15-large", "macos-15-xlarge"),
        *("macos-14", "macos-14-large", "macos-14-xlarge"),
    }
)
SELF_HOSTED_LABELS: frozenset[str] = frozenset(
    ["self-hosted", "linux", "macos", "windows", "x64", "arm", "arm64"]
)
RETIRED_LABELS: dict[str, str] = {
    "ubuntu-20.04": "ubuntu-24.04",
    "ubuntu-18.04": "ubuntu-24.04",
    "ubuntu-16.04": "ubuntu-24.04",
    "windows-2019": "windows-2022",
    "windows-2016": "windows-2022",
    "macos-13": "macos-15-intel",
    "macos-13-large": "macos-15-large",
    "macos-13-xlarge": "macos-15-xlarge",
    "macos-12": "macos-15",
    "macos-12-large": "macos-15-large",
    "macos-12-xlarge": "macos-15-xlarge",
    "macos-11": "macos-15",
    "macos-10.15": "macos-15",
}
_MATRIX_VALUE = re.compile(r"\s*matrix\.([A-Za-z_][A-Za-z0-9_-]*)\s*")


def literal_labels(job: Job) -> tuple[StringToken, ...]:
    """Return every label the job may ask for, as far as the file shows it.

    `${{ matrix.os }}` stands for the literal values of that key; other expressions give nothing.
    """
    return tuple(_labels(job.runs_on, job))


def _labels(token: Token | None, job: Job) -> Iterator[StringToken]:
    match token:
        case StringToken():
            yield token
        case SequenceToken():
            for item in token.items:
                yield from _labels(item, job)
        case MappingToken():
            yield from _labels(token.find("labels"), job)
        case ExpressionToken():
            for value in _matrix_values(token, job):
                if not isinstance(value, ExpressionToken):
                    yield from _labels(value, job)


def _matrix_values(token: ExpressionToken, job: Job) -> Iterator[Token]:
    name = _MATRIX_VALUE.fullmatch(token.expression)
    if name is None:
        return
    matrix = read_matrix(job.strategy)
    if matrix is None:
        return
    vector = matrix.find(name[1])
    if vector is not None:
        yield from vector.values or ()
    yield from matrix.included_values(name[1])


def system_of(label: str) -> System | None:
    """Return the operating system a label names, or None where it names none."""
    folded = label.lower()
    if folded.startswith("ubuntu-") or folded == "linux":
        return "linux"
    if folded.startswith("windows-") or folded == "windows":
        return "windows"
    if folded.startswith("macos-") or folded == "macos":
        return "macos"
    return None


def architecture_of(label: str) -> Architecture | None:
    """Return the processor a label names as `runner.arch` does, or None where it names none.

    The plain names of Windows and macOS count: GitHub fixes what they run on.
    """
    folded = label.lower()
    if folded == "arm":
        return "ARM"
    if folded == "arm64" or (system_of(folded) is not None and folded.endswith("-arm")):
        return "ARM64"
    if folded == "x64":
        return "X64"
    if folded not in HOSTED_LABELS or system_of(folded) == "linux":
        return None
    is_intel = system_of(folded) == "windows" or folded.endswith(("-intel", "-large"))
    return "X64" if is_intel else "ARM64"
