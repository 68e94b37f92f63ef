"""What an event is about: which commit and ref, compared with what, and whose code it is.

One delivery may be several events for workflows: what happens to a pull request starts those
`on: pull_request`, at the merge of its commits, and those `on: pull_request_target`, at the branch
that it is to go to.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InvalidError
from windlass.lang.schema.events import EVENTS
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    Payload = Mapping[str, Any]

NO_COMMIT: Final = frozenset({"0" * 40, "0" * 64})
"""What stands for a commit before a ref was made, or after it was deleted."""

KNOWN_EVENTS: Final = frozenset(event.name for event in EVENTS) - {"workflow_call"}
_OF_PULL_REQUESTS: Final = frozenset(
    {"pull_request", "pull_request_review", "pull_request_review_comment"}
)
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF: Final = re.compile(r"refs/(?:heads|tags)/(?!.*(?:\.\.|//|@\{))[^\x00-\x20~^:?*\[\\\x7f]+")
_NAME: Final = re.compile(r"(?![-/])(?!.*(?:\.\.|//|@\{))[^\x00-\x20~^:?*\[\\\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One event for workflows, of which a delivery tells.

    `revisions` are refs and commits of the mirror: the first one that is there is the commit.
    `fetched` are refs beside branches and tags that may have to be fetched for it. The files that
    changed are those since `before`; with `since_branch` since the commit left that branch. With
    neither that is the commit's parent. `head_sha` is the commit that a pull request proposes, and
    a merge in `revisions` counts only while it is one of that. `from_fork` says that the code is
    another repository's, `path` that one workflow alone is meant.
    """

    name: str
    ref: str
    revisions: tuple[str, ...]
    fetched: tuple[str, ...] = ()
    before: str = ""
    since_branch: str = ""
    head_ref: str = ""
    base_ref: str = ""
    head_sha: str = ""
    from_fork: bool = False
    path: str = ""

    @property
    def branch(self) -> str:
        """The branch by which the repository's rules judge: where code goes, or is."""
        if self.base_ref:
            return self.base_ref
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""


def read_occasions(event: str, payload: Payload, default_branch: str) -> tuple[Occasion, ...]:
    """Return what a delivery is about; empty where that starts no workflow.

    Raises:
        InvalidError: the payload is not one of that event.
    """
    if event not in KNOWN_EVENTS:
        return ()
    if event == "push":
        return _read_push(payload, default_branch)
    if event in _OF_PULL_REQUESTS:
        return _read_pull_request(event, payload)
    return (_read_other(event, payload, default_branch),)


def _read_push(payload: Payload, default_branch: str) -> tuple[Occasion, ...]:
    ref, after, before = (_text(payload, key) for key in ("ref", "after", "before"))
    if not _REF.fullmatch(ref):
        raise InvalidError("a push has to name the branch or the tag in 'ref'")
    for key, sha in (("after", after), ("before", before)):
        if not _SHA.fullmatch(sha):
            raise InvalidError(f"'{key}' of a push has to be a full commit id")
    if after in NO_COMMIT:
        return ()
    is_new = before in NO_COMMIT
    leaves = is_new and ref != f"refs/heads/{default_branch}" and _is_branch(ref)
    occasion = Occasion(
        name="push",
        ref=ref,
        revisions=(after,),
        before="" if is_new else before,
        since_branch=default_branch if leaves else "",
    )
    return (occasion,)


def _read_pull_request(event: str, payload: Payload) -> tuple[Occasion, ...]:
    pull_request = _object(payload, "pull_request")
    number = pull_request.get("number", payload.get("number"))
    head, base = _object(pull_request, "head"), _object(pull_request, "base")
    head_ref, base_ref, sha = _text(head, "ref"), _text(base, "ref"), _text(head, "sha")
    if not _is_number(number) or not _NAME.fullmatch(base_ref) or not _SHA.fullmatch(sha):
        raise InvalidError(f"a {event} needs 'number', 'head.sha', 'head.ref' and 'base.ref'")
    merge, own = f"refs/pull/{int(number)}/merge", f"refs/pull/{int(number)}/head"
    occasion = Occasion(
        name=event,
        ref=merge,
        revisions=(merge, sha, own),
        fetched=(merge, own),
        since_branch=base_ref,
        head_ref=head_ref,
        base_ref=base_ref,
        head_sha=sha,
        from_fork=_is_fork(head, base),
    )
    if event != "pull_request":
        return (occasion,)
    target = Occasion(
        name="pull_request_target",
        ref=f"refs/heads/{base_ref}",
        revisions=(f"refs/heads/{base_ref}",),
        fetched=(own,),
        since_branch=base_ref,
        head_ref=head_ref,
        base_ref=base_ref,
        head_sha=sha,
    )
    return (occasion, target)


def _read_other(event: str, payload: Payload, default_branch: str) -> Occasion:
    """Return what an event is about that is about a ref, or about the default branch."""
    ref, path = f"refs/heads/{default_branch}", ""
    if event == "create":
        kind = "tags" if payload.get("ref_type") == "tag" else "heads"
        ref = f"refs/{kind}/{_name(payload, 'ref', event)}"
    elif event == "release":
        ref = f"refs/tags/{_name(_object(payload, 'release'), 'tag_name', event)}"
    elif event == "merge_group":
        ref = _text(_object(payload, "merge_group"), "head_ref")
    elif event == "workflow_dispatch":
        ref, path = _text(payload, "ref"), _text(payload, "workflow")
        ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    elif event == "schedule":
        path = _text(payload, "workflow")
    elif event == "deployment":
        named = _text(_object(payload, "deployment"), "ref")
        ref = f"refs/heads/{named}" if _NAME.fullmatch(named) else ref
    if not _REF.fullmatch(ref):
        raise InvalidError(f"the ref of the {event} is no branch and no tag")
    return Occasion(name=event, ref=ref, revisions=(ref,), path=path)


def _is_fork(head: Payload, base: Payload) -> bool:
    """Tell whether code comes from another repository; from one that is gone, it did."""
    ours, theirs = base.get("repo"), head.get("repo")
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return True
    names = (_text(ours, "full_name").lower(), _text(theirs, "full_name").lower())
    return not names[0] or names[0] != names[1]


def _is_branch(ref: str) -> bool:
    return ref.startswith("refs/heads/")


def _is_number(value: Any) -> bool:
    # JSON for expressions has no integers.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value == value // 1 and 0 < value < 1 << 31


def _name(payload: Payload, key: str, event: str) -> str:
    name = _text(payload, key)
    if not _NAME.fullmatch(name):
        raise InvalidError(f"'{key}' of the {event} is no name of a branch or a tag")
    return name


def _object(payload: Payload, key: str) -> Payload:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
