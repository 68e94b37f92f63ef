"""What `uses` says of an action or a workflow of another repository.

Source: actions/runner src/Runner.Worker/ActionManager.cs (GetDownloadInfoLookupKey); which names
refs may have: https://git-scm.com/docs/git-check-ref-format
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import ActionStep, ParallelStep
from windlass.model.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.lang.workflow.model import Step

OWN_REPOSITORY: Final = "$/"
_OTHER_KINDS: Final = ("./", ".\\", OWN_REPOSITORY, "docker://")
_SEPARATOR: Final = re.compile(r"[\\/]")
_SHA: Final = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_OWNER: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_IMPOSSIBLE_REF: Final = re.compile(
    r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|(?:^|/)\.|\.lock(?:/|$)|[/.]$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`owner/name[/path]@ref`; `name` holds the owner too, `path` is empty for the root."""

    name: str
    path: str
    ref: str

    @property
    def key(self) -> str:
        """What is fetched: `owner/name@ref`."""
        return f"{self.name}@{self.ref}"


def is_published(uses: str) -> bool:
    """Tell whether `uses` names another repository."""
    return not uses.startswith(_OTHER_KINDS)


def read_reference(uses: str) -> Reference | None:
    """Read `owner/name[/path]@ref`; None where it is nothing of the kind, or leads out by `..`."""
    location, _, ref = uses.partition("@")
    segments = [segment for segment in _SEPARATOR.split(location) if segment]
    if not is_published(uses) or uses.startswith("/") or len(segments) < 2:
        return None
    if not ref or _IMPOSSIBLE_REF.search(ref):
        return None
    owner, name, *path = segments
    if not (_OWNER.fullmatch(owner) and _is_name(name)) or ".." in path or "@" in ref:
        return None
    inside = "/".join(segment for segment in path if segment != ".")
    return Reference(name=f"{owner}/{name}", path=inside, ref=ref)


def is_full_sha(ref: str) -> bool:
    """Tell whether a ref is the full SHA of a commit."""
    return _SHA.fullmatch(ref) is not None


def list_uses(steps: Iterable[Step]) -> Iterator[StringToken]:
    """Yield the `uses` of steps, of those inside `parallel` too."""
    for step in steps:
        if isinstance(step, ParallelStep):
            yield from list_uses(step.steps)
        elif isinstance(step, ActionStep):
            yield step.uses


def settle_own_uses(steps: tuple[Step, ...], name: str, ref: str) -> tuple[Step, ...]:
    """Return steps of a published action in which `$/path` names its own repository.

    Source: actions/runner src/Runner.Worker/ActionManager.cs (ResolveSelfRepositoryReferences)
    """
    return tuple(
        replace(step, uses=StringToken(settle_own_use(step.uses.value, name, ref), step.uses.span))
        if isinstance(step, ActionStep) and step.uses.value.startswith(OWN_REPOSITORY)
        else step
        for step in steps
    )


def settle_own_use(uses: str, name: str, ref: str) -> str:
    """Return `owner/name/path@ref` for `$/path` of a repository."""
    return f"{name}/{uses.removeprefix(OWN_REPOSITORY)}@{ref}"


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and text not in (".", "..")
