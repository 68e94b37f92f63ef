"""What a step's process is started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class StepError(Exception):
    """Something that keeps a step from starting: it fails with this message."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, all of its variables and the folder it starts in."""

    arguments: Sequence[str]
    variables: Mapping[str, str]
    folder: str
