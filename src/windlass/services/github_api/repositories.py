"""The repository itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.services.github_api.links import make_id, make_node_id
from windlass.services.github_api.people import make_user

if TYPE_CHECKING:
    from windlass.services.github_api.links import Links

    Shape = dict[str, Any]

_ADDRESSES: Final = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}
"""Where the parts of a repository are, as RFC 6570 templates."""

_COUNTS: Final = (
    *("forks", "forks_count", "open_issues", "open_issues_count", "stargazers_count", "watchers"),
    *("watchers_count", "network_count", "subscribers_count", "size"),
)


def make_repository(links: Links) -> Shape:
    """Return GitHub's `minimal-repository`."""
    return {
        "id": make_id(links.full_name),
        "node_id": make_node_id("Repository", links.full_name),
        "name": links.name,
        "full_name": links.full_name,
        "private": True,
        "owner": make_user(links.owner, links),
        "html_url": links.page,
        "description": None,
        "fork": False,
        "url": links.repository,
        **{f"{name}_url": links.repository + path for name, path in _ADDRESSES.items()},
    }


def make_full_repository(links: Links, default_branch: str, pushed: str) -> Shape:
    """Return GitHub's `full-repository`; `pushed` is the time of the last commit.

    Counts of what is on GitHub alone are 0. The token may read and nothing else.
    """
    host = links.server.partition("://")[2]
    return {
        **make_repository(links),
        **dict.fromkeys(_COUNTS, 0),
        "default_branch": default_branch,
        "visibility": "private",
        "git_url": f"git://{host}/{links.full_name}.git",
        "ssh_url": f"git@{host}:{links.full_name}.git",
        "clone_url": f"{links.page}.git",
        "svn_url": links.page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "topics": [],
        "archived": False,
        "disabled": False,
        "has_issues": True,
        "has_downloads": False,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "created_at": pushed,
        "updated_at": pushed,
        "pushed_at": pushed,
        "permissions": {"admin": False, "maintain": False, "push": False, "pull": True},
    }
