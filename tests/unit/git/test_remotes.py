"""Remote URLs, as https://git-scm.com/docs/git-clone#_git_urls has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.git.remotes import Remote, read_remote

GITHUB = Remote("https://github.com", "octo", "app")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/octo/app.git", GITHUB),
        ("https://github.com/octo/app", GITHUB),
        ("https://github.com/octo/app/", GITHUB),
        ("https://GitHub.com/octo/app", GITHUB),
        ("git@github.com:octo/app.git", GITHUB),
        ("github.com:octo/app.git", GITHUB),
        ("git@github.com:/octo/app.git", GITHUB),
        ("ssh://git@github.com/octo/app.git", GITHUB),
        ("ssh://git@github.com:22/octo/app.git", GITHUB),
        ("git://github.com/octo/app.git", GITHUB),
        ("https://mona:secret@github.com/octo/app.git", GITHUB),
        ("http://localhost:3000/octo/app", Remote("http://localhost:3000", "octo", "app")),
        ("https://gitlab.com/group/sub/app.git", Remote("https://gitlab.com", "group/sub", "app")),
        ("/srv/git/app.git", None),
        ("../app", None),
        ("file:///srv/git/app.git", None),
        ("C:/git/app", None),
        ("https://github.com/app", None),
        ("", None),
    ],
)
def test_urls(url: str, expected: Remote | None) -> None:
    """Server, owner and name are read from every form; users and passwords never are."""
    assert read_remote(url) == expected


@given(st.text(max_size=60))
def test_any_text(url: str) -> None:
    """Any text is a remote with all three parts, or none."""
    remote = read_remote(url)

    assert remote is None or (remote.server_url and remote.owner and remote.name)
