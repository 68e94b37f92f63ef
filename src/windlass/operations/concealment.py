"""Hiding secrets in what a run tells of itself and its jobs: keys, names and reasons.

A job hides secrets in what it tells itself. But the value of a matrix may be a secret too, and with
it the job's key; and of jobs that never start, others tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from windlass.engine.key_cover import KeyCover
from windlass.jobs.masking import Masker
from windlass.model.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.protocol.events import RunEvent

_TEXTS: Final = ("workflow", "path", "name", "reason", "message", "group")


class Concealment:
    """Hides the secrets of a run; `conceal` is for one thread at a time."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._masker = Masker(self._secrets)
        self.cover = KeyCover(self._masker.mask_text)
        """What stands for the keys of jobs."""

    def conceal(self, event: RunEvent) -> RunEvent:
        """Return the event without secrets; what a step prints is hidden by its job already."""
        if not self._secrets:
            return event
        texts = {name: getattr(event, name) for name in _TEXTS if hasattr(event, name)}
        told = {name: self._masker.mask_text(text) for name, text in texts.items()}
        if hasattr(event, "job"):
            told["job"] = self.cover.cover(event.job)
        concealed: RunEvent = replace(cast("Any", event), **told)
        return concealed

    def conceal_text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._masker.mask_text(text)
