"""Remote URLs: which server, owner and name a repository has.

Source: https://git-scm.com/docs/git-clone#_git_urls
"""

from __future__ import annotations

import re
from typing import Final

from windlass.model.values import dataclass

_URL: Final = re.compile(
    r"(?:https?|ssh|git|git\+ssh)://(?:[^@/]*@)?(?P<host>[^:/]+)(?P<port>:\d+)?/(?P<path>.+)"
)
_SCP: Final = re.compile(r"(?:[^@/:]+@)?(?P<host>[^:/]{2,}):(?!/{2})(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server. `server_url` has no slash at its end and no user in it."""

    server_url: str
    owner: str
    name: str


def read_remote(url: str) -> Remote | None:
    """Read a remote's URL; None where it is a folder or has no owner and name.

    Groups within groups (`group/sub/name`) are the owner `group/sub`. Users and passwords in the
    URL are dropped.
    """
    match = _URL.fullmatch(url)
    port = match["port"] if match and match["port"] and url.startswith("http") else ""
    match = match or _SCP.fullmatch(url)
    if match is None:
        return None
    path = match["path"].strip("/").removesuffix(".git")
    owner, _, name = path.rpartition("/")
    if not owner or not name:
        return None
    scheme = "http" if url.startswith("http://") else "https"
    return Remote(f"{scheme}://{match['host'].lower()}{port}", owner, name)
