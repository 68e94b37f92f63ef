"""What a plan can say of the `runner` context: what the labels of `runs-on` name.

Source: https://docs.github.com/en/actions/reference/runners/github-hosted-runners
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from windlass.lang.runner_labels import HOSTED_LABELS, architecture_of, system_of
from windlass.plan.open_mapping import OpenMapping

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES: Final = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def foresee_runner(runs_on: Any, here: Mapping[str, str]) -> OpenMapping:
    """Return the `runner` context of a job; members that nothing tells are UNKNOWN.

    `runs_on` is the evaluated key, `here` the context of a job that this machine would run: it is
    taken for GitHub's plain labels of the same system.
    """
    labels = tuple(list_labels(runs_on))
    known: dict[str, Any] = {}
    systems = {_NAMES[system] for label in labels if (system := system_of(label)) is not None}
    architectures = {architecture_of(label) for label in labels} - {None}
    if len(systems) == 1:
        known["os"] = systems.pop()
    is_hosted = any(label.lower() in HOSTED_LABELS for label in labels)
    if is_hosted and known.get("os") == here.get("os"):
        known = {**here, **known}
    if len(architectures) == 1:
        known["arch"] = architectures.pop()
    return OpenMapping(known)


def list_labels(runs_on: Any) -> Iterator[str]:
    """Yield the labels of an evaluated `runs-on`, in any of its forms."""
    if isinstance(runs_on, Mapping):
        yield from list_labels(runs_on.get("labels"))
    elif isinstance(runs_on, str):
        yield runs_on
    elif isinstance(runs_on, list | tuple):
        yield from (label for label in runs_on if isinstance(label, str))
