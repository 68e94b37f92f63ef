"""Who asks a server for something."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose access token was shown: its id, the name it was given, and when it expires, if ever.

    `expires` is in seconds since the epoch.
    """

    token: str
    name: str
    expires: float | None = None


if TYPE_CHECKING:
    CheckToken: TypeAlias = Callable[[str], Caller | None]
    """Returns whose access token a text is; None where it is none, has expired or was revoked."""
