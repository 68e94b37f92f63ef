"""Answers from the event's payload: its pull request and its issue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from windlass.git import commit_log, comparisons
from windlass.git.commit_log import LogRange
from windlass.services.github_api import commits
from windlass.services.github_api.links import make_id, make_node_id
from windlass.services.github_api.people import make_user
from windlass.services.github_api.questions import answer, answer_raw
from windlass.services.github_api.refusals import refuse_unknown
from windlass.services.github_api.repositories import make_full_repository

if TYPE_CHECKING:
    from windlass.services.github_api.links import Links
    from windlass.services.github_api.questions import Question
    from windlass.services.messages import Response

    Shape = dict[str, Any]

_EPOCH: Final = "1970-01-01T00:00:00Z"
_MOST_COMMITS: Final = 250


def answer_pull(question: Question) -> Response:
    """Answer `GET …/pulls/{number}`, as JSON, diff or patch."""
    given = _find_pull(question)
    base, head = _ends(given, question)
    if question.media == "diff":
        return answer_raw(comparisons.make_diff(base, head, root=question.root), "diff")
    if question.media == "patch":
        return answer_raw(comparisons.make_patches(base, head, root=question.root), "patch")
    changes = comparisons.list_file_changes(base, head, root=question.root)
    return answer(
        {
            "merged": False,
            "mergeable": None,
            "mergeable_state": "unknown",
            "merged_by": None,
            "maintainer_can_modify": False,
            "comments": 0,
            "review_comments": 0,
            **_make_pull(given, question.links),
            "commits": len(_list_commits(base, head, question)),
            "additions": sum(change.added for change in changes),
            "deletions": sum(change.deleted for change in changes),
            "changed_files": len(changes),
        }
    )


def answer_pull_files(question: Question) -> Response:
    """Answer `GET …/pulls/{number}/files`."""
    base, head = _ends(_find_pull(question), question)
    changes = comparisons.list_file_changes(base, head, root=question.root)
    links = question.links
    return question.answer_page(changes, lambda it: commits.make_file_change(it, head, links))


def answer_pull_commits(question: Question) -> Response:
    """Answer `GET …/pulls/{number}/commits`, oldest first."""
    base, head = _ends(_find_pull(question), question)
    found = _list_commits(base, head, question)[:_MOST_COMMITS]
    return question.answer_page(found, lambda it: commits.make_commit(it, question.links))


def answer_pulls(question: Question) -> Response:
    """Answer `GET …/pulls` where `head` asks for that of the event, of which alone all is known."""
    given = _mapping(question.payload.get("pull_request"))
    own = f"{question.links.owner}:{_mapping(given.get('head')).get('ref')}"
    if not given or question.query.get("head") != own:
        raise refuse_unknown("Windlass knows no pull request but that of the event, by its `head`.")
    state = question.query.get("state", "open")
    base = question.query.get("base") or _mapping(given.get("base")).get("ref")
    matches = state in ("all", given.get("state", "open"))
    if not matches or base != _mapping(given.get("base")).get("ref"):
        return answer([])
    return answer([_make_pull(given, question.links)])


def answer_commit_pulls(question: Question) -> Response:
    """Answer `GET …/commits/{ref}/pulls` for the head of the event's pull request."""
    given = _mapping(question.payload.get("pull_request"))
    if question.names["ref"] != _mapping(given.get("head")).get("sha"):
        raise refuse_unknown("Windlass knows no pull request but that of the event, by its head.")
    return answer([_make_pull(given, question.links)])


def answer_issue(question: Question) -> Response:
    """Answer `GET …/issues/{number}`: the issue of the event, or its pull request as one."""
    return answer(_make_issue(_find_issue(question), question.links))


def answer_issue_labels(question: Question) -> Response:
    """Answer `GET …/issues/{number}/labels`."""
    labels = _find_issue(question).get("labels") or []
    return question.answer_page(labels, lambda it: _make_label(it, question.links))


def _find_pull(question: Question) -> Mapping[str, Any]:
    given = _mapping(question.payload.get("pull_request"))
    if not given or str(given.get("number")) != question.names["number"]:
        raise refuse_unknown("Windlass knows no pull request but that of the event.")
    return given


def _find_issue(question: Question) -> Mapping[str, Any]:
    for key in ("issue", "pull_request"):
        given = _mapping(question.payload.get(key))
        if str(given.get("number")) == question.names["number"]:
            return given
    raise refuse_unknown("Windlass knows no issue and no pull request but that of the event.")


def _ends(given: Mapping[str, Any], question: Question) -> tuple[str, str]:
    """Return where a pull request's branch parts from its base, and its last commit."""
    ends = []
    for side in ("base", "head"):
        sha = str(_mapping(given.get(side)).get("sha", ""))
        found = commit_log.find_commit([sha], root=question.root)
        if found is None:
            raise refuse_unknown(f"The checkout has no commit {sha}, the pull request's {side}.")
        ends.append(found)
    base, head = ends
    return comparisons.measure(base, head, root=question.root).merge_base or base, head


def _list_commits(base: str, head: str, question: Question) -> list[commit_log.Commit]:
    wanted = LogRange(revisions=(head, f"^{base}"), limit=10_000, oldest_first=True)
    return commit_log.list_commits(wanted, root=question.root)


def _make_pull(given: Mapping[str, Any], links: Links) -> Shape:
    """Return GitHub's `pull-request-simple`: what the event says, with what it leaves out."""
    number = str(given.get("number", 0))
    pull, issue = f"{links.repository}/pulls/{number}", f"{links.repository}/issues/{number}"
    page = f"{links.page}/pull/{number}"
    sha = _mapping(given.get("head")).get("sha", "")
    addresses = {
        "self": pull,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{pull}/comments",
        "review_comment": f"{links.repository}/pulls/comments{{/number}}",
        "commits": f"{pull}/commits",
        "statuses": f"{links.repository}/statuses/{sha}",
    }
    others = {f"{name}_url": at for name, at in addresses.items() if name not in ("self", "html")}
    return {
        **_make_thread(given, "PullRequest", links),
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merge_commit_sha": None,
        "merged_at": None,
        "auto_merge": None,
        "draft": False,
        **given,
        "url": pull,
        "html_url": page,
        **others,
        "_links": {name: {"href": at} for name, at in addresses.items()},
        "user": _make_login(given.get("user"), links),
        "labels": [_make_label(it, links) for it in given.get("labels") or []],
        "head": _make_side(_mapping(given.get("head")), links),
        "base": _make_side(_mapping(given.get("base")), links),
    }


def _make_thread(given: Mapping[str, Any], kind: str, links: Links) -> Shape:
    """Return what issues and pull requests have in common, for what the event leaves out."""
    number = str(given.get("number", 0))
    return {
        "id": make_id(links.full_name, kind, number),
        "node_id": make_node_id(kind, links.full_name, number),
        "number": 0,
        "state": "open",
        "locked": False,
        "title": "",
        "body": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "closed_at": None,
        "created_at": _EPOCH,
        "updated_at": _EPOCH,
        "author_association": "NONE",
    }


def _make_side(given: Mapping[str, Any], links: Links) -> Shape:
    """Return the head or the base of a pull request; that of a fork keeps what the event says."""
    repository = _mapping(given.get("repo"))
    name = str(repository.get("full_name", links.full_name))
    known: Shape = {}
    if name == links.full_name:
        branch = str(repository.get("default_branch", given.get("ref", "")))
        known = make_full_repository(links, branch, _EPOCH)
        # What the event knows counts, but its addresses are those of GitHub.
        known |= {key: it for key, it in repository.items() if not key.endswith("url")}
        known["owner"] = _make_login(known["owner"], links)
    owner = links.full_name.partition("/")[0]
    return {
        "label": f"{owner}:{given.get('ref', '')}",
        "ref": "",
        "sha": "",
        **given,
        "user": _make_login(given.get("user") or {"login": owner}, links),
        "repo": known or dict(repository),
    }


def _make_issue(given: Mapping[str, Any], links: Links) -> Shape:
    """Return GitHub's `issue`."""
    number = str(given.get("number", 0))
    issue = f"{links.repository}/issues/{number}"
    is_pull = "head" in given
    page = f"{links.page}/{'pull' if is_pull else 'issues'}/{number}"
    shape: Shape = {
        **_make_thread(given, "Issue", links),
        "comments": 0,
        **{key: value for key, value in given.items() if not key.startswith("_")},
        "url": issue,
        "html_url": page,
        "repository_url": links.repository,
        "labels_url": f"{issue}/labels{{/name}}",
        "comments_url": f"{issue}/comments",
        "events_url": f"{issue}/events",
        "user": _make_login(given.get("user"), links),
        "labels": [_make_label(it, links) for it in given.get("labels") or []],
    }
    if is_pull:
        pull = f"{links.repository}/pulls/{number}"
        addresses = {"diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        shape["pull_request"] = {"url": pull, "html_url": page, **addresses}
        for key in ("head", "base"):
            shape.pop(key, None)
    return shape


def _make_label(given: Any, links: Links) -> Shape:
    label = given if isinstance(given, Mapping) else {"name": str(given)}
    name = str(label.get("name", ""))
    return {
        "id": make_id(links.full_name, "label", name),
        "node_id": make_node_id("Label", links.full_name, name),
        "url": f"{links.repository}/labels/{name}",
        "description": "",
        "color": "ededed",
        "default": False,
        **label,
        "name": name,
    }


def _make_login(given: Any, links: Links) -> Shape:
    """Return a user of a payload whole."""
    user = _mapping(given)
    return {**make_user(str(user.get("login", "ghost")), links), **user}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
