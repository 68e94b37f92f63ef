"""Our post-receive hook: what a server hears of a push, and that no push suffers for it."""

from __future__ import annotations

import json
import stat
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
from tests.pushed_repository import NOTHING, PushedRepository
from tests.serving import serve

from windlass.errors import InputError
from windlass.events.signatures import is_signed
from windlass.git.own_hook import (
    HookSettings,
    check_hook,
    find_hooks,
    install_hook,
    read_settings,
    read_updates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "s3cret"


class Heard:
    """What a server was told, and what it answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.status = 202
        self.url = ""


@pytest.fixture
def heard() -> Iterator[Heard]:
    told = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert is_signed(SECRET, body, self.headers["X-Windlass-Signature-256"])
            assert self.path == "/hooks/git/octo/boat"
            told.bodies.append(json.loads(body))
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serve(Handler) as url:
        told.url = f"{url}/hooks/git/octo/boat"
        yield told


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


def test_a_push_is_told(pushed: PushedRepository, heard: Heard) -> None:
    """Once, with what each ref was and is; a note is no branch and no tag."""
    install_hook(find_hooks(pushed.bare), HookSettings(heard.url, SECRET))
    before, after = pushed.push()
    pushed.git("push", "-q", str(pushed.bare), "main:feature", "main:refs/notes/x")
    assert heard.bodies == [
        {"updates": [{"ref": "refs/heads/main", "before": before, "after": after}]},
        {"updates": [{"ref": "refs/heads/feature", "before": NOTHING, "after": after}]},
    ]


@pytest.mark.parametrize("status", [403, 500, 0], ids=["refuses", "fails", "is not there"])
def test_a_server_that_does_not_take_it(
    pushed: PushedRepository, heard: Heard, status: int
) -> None:
    """The push is made all the same."""
    url = heard.url if status else "http://127.0.0.1:9/hooks/git/octo/boat"
    heard.status = status
    install_hook(find_hooks(pushed.bare), HookSettings(url, SECRET))
    after = pushed.push()[1]
    assert pushed.find("refs/heads/main") == after


def test_settings_that_cannot_be_read(pushed: PushedRepository, heard: Heard) -> None:
    """The push is made."""
    hooks = find_hooks(pushed.bare)
    install_hook(hooks, HookSettings(heard.url, SECRET))
    (hooks / "windlass.json").write_text("{")
    after = pushed.push()[1]
    assert pushed.find("refs/heads/main") == after
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(hooks / "windlass.json")


def test_the_secret_is_its_owners(pushed: PushedRepository, heard: Heard) -> None:
    """Others may read it where they may write hooks, since they push as well."""
    hooks = find_hooks(pushed.bare)
    for folder, expected in ((0o755, 0o600), (0o2775, 0o640)):
        hooks.mkdir(exist_ok=True)
        hooks.chmod(folder)
        install_hook(hooks, HookSettings(heard.url, SECRET))
        assert stat.S_IMODE((hooks / "windlass.json").stat().st_mode) == expected


def test_another_hook_is_left_alone(pushed: PushedRepository, heard: Heard) -> None:
    """It is said how to have it tell the server; our own is written anew."""
    hooks = find_hooks(pushed.bare)
    hooks.mkdir(exist_ok=True)
    (hooks / "post-receive").write_text("#!/bin/sh\nmail\n")
    with pytest.raises(InputError, match="a hook already") as caught:
        install_hook(hooks, HookSettings(heard.url, SECRET))
    assert "windlass hook send" in (caught.value.hint or "")
    assert (hooks / "post-receive").read_text() == "#!/bin/sh\nmail\n"
    (hooks / "post-receive").unlink()
    install_hook(hooks, HookSettings("http://old", "old"))
    check_hook(hooks)
    install_hook(hooks, HookSettings(heard.url, SECRET))
    assert read_settings(hooks / "windlass.json") == HookSettings(heard.url, SECRET)


def test_hooks_that_are_elsewhere(pushed: PushedRepository) -> None:
    """A hook that Git would not run is not written."""
    pushed.git("config", "core.hooksPath", "/shared/hooks", at=pushed.bare)
    with pytest.raises(InputError, match="/shared/hooks"):
        find_hooks(pushed.bare)


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    """It is refused."""
    with pytest.raises(InputError, match="no Git repository"):
        find_hooks(tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b refs/heads/x\n", [{"ref": "refs/heads/x", "before": "a", "after": "b"}]),
        ("a b refs/heads/x y\n", [{"ref": "refs/heads/x y", "before": "a", "after": "b"}]),
        ("a b refs/notes/x\n", []),
        ("\n", []),
        ("a b\n", []),
    ],
)
def test_what_git_tells_the_hook(line: str, expected: list[dict[str, str]]) -> None:
    """Branches and tags are told, and what cannot be read is left out."""
    assert read_updates([line]) == expected
