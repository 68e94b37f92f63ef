"""The branches and tags of a checkout, as a server would show them.

A branch is one of the user's own, or one that `origin` had when it was last fetched; where both
have it, the user's counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.git.commands import decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT: Final = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)"
_REMOTE: Final = "refs/remotes/origin/"
HEADS: Final = "refs/heads/"
TAGS: Final = "refs/tags/"


@dataclass(frozen=True, slots=True)
class Reference:
    """A branch or a tag by its whole name.

    `object_id` and `object_type` are what it points at; `commit` is what that leads to, the same
    but for an annotated tag.
    """

    name: str
    object_id: str
    object_type: str
    commit: str

    @property
    def short_name(self) -> str:
        """The name without `refs/heads/` or `refs/tags/`."""
        return self.name.removeprefix(HEADS).removeprefix(TAGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedTag:
    """The object of an annotated tag; `date` is in seconds since the epoch."""

    sha: str
    name: str
    target: str
    target_type: str
    tagger_name: str
    tagger_email: str
    date: int
    message: str


def list_references(*, root: Path) -> list[Reference]:
    """Return all branches and tags, in the order of their names.

    Raises:
        GitError: git is missing.
    """
    command = ["for-each-ref", f"--format={_FORMAT}", HEADS, TAGS, _REMOTE]
    found: dict[str, Reference] = {}
    for line in decode(run(command, folder=root)).splitlines():
        name, object_id, kind, peeled = line.split("\0")
        if name == f"{_REMOTE}HEAD":
            continue
        published = HEADS + name.removeprefix(_REMOTE) if name.startswith(_REMOTE) else name
        found.setdefault(published, Reference(published, object_id, kind, peeled or object_id))
    return [found[name] for name in sorted(found)]


def read_tag(sha: str, *, root: Path) -> AnnotatedTag | None:
    """Return the object of an annotated tag; None where the id is that of anything else.

    Raises:
        GitError: git is missing, or there is no such object.
    """
    if decode(run(["cat-file", "-t", sha], folder=root)).strip() != "tag":
        return None
    text = decode(run(["cat-file", "tag", sha], folder=root))
    head, _, message = text.partition("\n\n")
    facts = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
    name, _, rest = facts.get("tagger", " <> 0 +0000").partition(" <")
    email, _, date = rest.partition("> ")
    return AnnotatedTag(
        sha=sha,
        name=facts["tag"],
        target=facts["object"],
        target_type=facts["type"],
        tagger_name=name,
        tagger_email=email,
        date=int(date.split(" ")[0]),
        message=message.rstrip("\n"),
    )
