"""The objects that webhook payloads are made of: users, repositories, commits, pull requests.

Each has the names and kinds of GitHub's, with the fields that workflows read; what only GitHub
knows has a stand-in. Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from windlass.model.values import dataclass, field
from windlass.plan.contexts import api_url, stand_in_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.model.repository import Repository

    Payload = dict[str, Any]

NO_COMMIT: Final = "0" * 40
"""What GitHub calls the commit before a branch's first."""

_LOGIN_EMAIL: Final = re.compile(r"(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\.github\.com")
_NOT_IN_LOGIN: Final = re.compile(r"[^A-Za-z0-9\[\]-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What happened, as far as it can be chosen: the input of every payload.

    `ref` is fully formed, `head` and `base` are the branches of a pull request, `number` is that of
    a pull request or an issue, `action` the activity type.
    """

    repository: Repository
    ref: str
    action: str = ""
    head: str = ""
    base: str = ""
    number: int = 1
    cron: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        """The login of whoever did it."""
        return find_login(self.repository)


def find_login(repository: Repository) -> str:
    """Return a login for the author of the head commit: GitHub's own where the e-mail tells it."""
    login = read_login(repository.author_email)
    if login is not None:
        return login
    return _NOT_IN_LOGIN.sub("-", repository.author_name).strip("-") or "windlass"


def read_login(email: str) -> str | None:
    """Return the login that an address of GitHub's own is made of; None for any other address."""
    match = _LOGIN_EMAIL.fullmatch(email)
    return None if match is None else match["login"]


def make_user(login: str) -> Payload:
    """Return a user object."""
    return {
        "login": login,
        "id": int(stand_in_id(login)),
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
        "html_url": f"https://github.com/{login}",
    }


def make_simple_repository(repository: Repository) -> Payload:
    """Return a repository object as runs name it."""
    full_name, server = repository.full_name, repository.server_url
    return {
        "id": int(stand_in_id(full_name)),
        "name": repository.name,
        "full_name": full_name,
        "private": True,
        "owner": {**make_user(repository.owner), "html_url": f"{server}/{repository.owner}"},
        "html_url": f"{server}/{full_name}",
        "description": None,
        "fork": False,
        "url": f"{api_url(server)}/repos/{full_name}",
    }


def make_repository(repository: Repository) -> Payload:
    """Return a repository object."""
    full_name, server = repository.full_name, repository.server_url
    host = server.partition("://")[2]
    return {
        **make_simple_repository(repository),
        "visibility": "private",
        "git_url": f"git://{host}/{full_name}.git",
        "ssh_url": f"git@{host}:{full_name}.git",
        "clone_url": f"{server}/{full_name}.git",
        "default_branch": repository.default_branch,
        "archived": False,
        "disabled": False,
        "topics": [],
        "language": None,
        "license": None,
    }


def make_simple_commit(repository: Repository) -> Payload:
    """Return the head commit as runs and merge groups name it."""
    author = {"name": repository.author_name, "email": repository.author_email}
    return {
        "id": repository.head_sha,
        "message": repository.commit_message,
        "timestamp": repository.commit_timestamp,
        "author": author,
        "committer": author,
    }


def make_commit(repository: Repository) -> Payload:
    """Return the head commit as a push lists it."""
    changed = repository.changed_files or ()
    apart = {*repository.added_files, *repository.removed_files}
    commit = make_simple_commit(repository)
    author = {
        **commit["author"],
        "username": find_login(repository),
        "date": repository.commit_timestamp,
    }
    return {
        **commit,
        "distinct": True,
        "url": f"{repository.server_url}/{repository.full_name}/commit/{repository.head_sha}",
        "author": author,
        "committer": author,
        "added": list(repository.added_files),
        "removed": list(repository.removed_files),
        "modified": [path for path in changed if path not in apart],
    }


def _make_side(occasion: Occasion, branch: str, sha: str) -> Payload:
    """Return the head or the base of a pull request."""
    repository = occasion.repository
    return {
        "label": f"{repository.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": make_user(repository.owner),
        "repo": make_repository(repository),
    }


def make_simple_pull_request(occasion: Occasion) -> Payload:
    """Return a pull request as reviews name it, titled after the head commit."""
    repository = occasion.repository
    title, _, body = repository.commit_message.partition("\n")
    address = f"{repository.server_url}/{repository.full_name}/pull/{occasion.number}"
    return {
        "id": int(stand_in_id(address)),
        "number": occasion.number,
        "state": "closed" if occasion.action == "closed" else "open",
        "locked": False,
        "title": title,
        "body": body.strip() or None,
        "user": make_user(occasion.sender),
        "html_url": address,
        "diff_url": f"{address}.diff",
        "url": f"{api_url(repository.server_url)}/repos/{repository.full_name}"
        f"/pulls/{occasion.number}",
        "head": _make_side(occasion, occasion.head, repository.head_sha),
        "base": _make_side(occasion, occasion.base, repository.base_sha or repository.head_sha),
        "draft": False,
        "merge_commit_sha": repository.head_sha,
        "labels": [],
        "assignees": [],
        "assignee": None,
        "requested_reviewers": [],
        "requested_teams": [],
        "milestone": None,
        "auto_merge": None,
        "author_association": "OWNER",
        "created_at": repository.commit_timestamp,
        "updated_at": repository.commit_timestamp,
    }


def make_pull_request(occasion: Occasion) -> Payload:
    """Return a pull request as its own events tell of it."""
    return {
        **make_simple_pull_request(occasion),
        "merged": False,
        "mergeable": None,
        "commits": 1,
        "changed_files": len(occasion.repository.changed_files or ()),
    }


def make_comment(occasion: Occasion) -> Payload:
    """Return an empty comment by the sender."""
    return {
        "id": 1,
        "user": make_user(occasion.sender),
        "body": "",
        "author_association": "OWNER",
        "created_at": occasion.repository.commit_timestamp,
        "updated_at": occasion.repository.commit_timestamp,
    }


def make_issue(occasion: Occasion) -> Payload:
    """Return an issue, titled after the head commit."""
    return {
        **_make_thread(occasion, "issues"),
        "body": None,
        "assignees": [],
        "assignee": None,
        "milestone": None,
    }


def make_discussion(occasion: Occasion) -> Payload:
    """Return a discussion, titled after the head commit."""
    return {
        **_make_thread(occasion, "discussions"),
        "body": "",
        "category": {"name": "General"},
    }


def _make_thread(occasion: Occasion, folder: str) -> Payload:
    """Return what issues and discussions have in common; `folder` is where they are shown."""
    repository = occasion.repository
    address = f"{repository.server_url}/{repository.full_name}"
    return {
        "id": 1,
        "number": occasion.number,
        "state": "closed" if occasion.action == "closed" else "open",
        "locked": occasion.action == "locked",
        "title": repository.commit_message.partition("\n")[0],
        "user": make_user(occasion.sender),
        "html_url": f"{address}/{folder}/{occasion.number}",
        "labels": [],
        "author_association": "OWNER",
        "comments": 0,
        "created_at": repository.commit_timestamp,
        "updated_at": repository.commit_timestamp,
    }
