"""Repositories of a server: registered, set up, removed, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runs import Values, define, open_site
from tests.pushed_repository import PushedRepository, tell_push
from tests.remotes import Remotes

from windlass.db.deliveries import find_delivery
from windlass.db.repositories import find_repository
from windlass.errors import ConflictError, InvalidError, MissingError, PlatformError
from windlass.model.values import replace
from windlass.operations.hosted.attempts import cancel_run, start_run
from windlass.operations.hosted.deliveries import accept_delivery, process_delivery
from windlass.operations.hosted.repositories import (
    change_settings,
    find_job_secrets,
    find_webhook_secret,
    list_repositories,
    register_repository,
    remove_repository,
    renew_webhook_secret,
    require_repository,
)
from windlass.operations.hosted.secrets import list_secrets
from windlass.operations.hosted.watching import refresh_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME = "octo/boat"


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    values = Values({}, {"PASSWORD": "hunter2", "WINDLASS_GITHUB_TOKEN": "hunter3"})
    (tmp_path / "data").mkdir()
    with open_site(database_address, tmp_path / "data", values=values) as opened:
        with opened.store.writing() as connection:
            connection.execute("DELETE FROM repositories")
        yield opened


def test_a_folder(site: Site, pushed: PushedRepository) -> None:
    """It is known by its name in any case, with its default branch and what it has now."""
    pushed.git("push", "-q", str(pushed.bare), "main:trunk")
    pushed.git("symbolic-ref", "HEAD", "refs/heads/trunk", at=pushed.bare)
    row = register_repository(site, str(pushed.bare), "Octo/Boat")
    assert row.default_branch == "trunk"
    assert sorted(row.heads) == ["refs/heads/main", "refs/heads/trunk"]
    assert require_repository(site, "oCTO/bOAT") == row
    assert row.name == "Octo/Boat"


def test_a_url_says_its_name(site: Site, tmp_path: Path) -> None:
    """`owner/name` is the end of it."""
    remotes = Remotes(tmp_path)
    remotes.publish("octo/boat", {"a": "1"})
    allowed = replace(site, allowed_hosts=("127.0.0.1",))
    with remotes.over_http(smart=True) as url:
        assert register_repository(allowed, f"{url}/octo/boat.git").name == NAME


def test_a_private_repository(site: Site, tmp_path: Path) -> None:
    """Its token is kept as a secret, sealed; without one it cannot be read."""
    remotes = Remotes(tmp_path)
    remotes.publish("octo/boat", {"a": "1"})
    allowed = replace(site, allowed_hosts=("127.0.0.1",))
    with remotes.over_http(smart=True, password="hunter3", user="x-access-token") as url:
        with pytest.raises(InvalidError, match="cannot be read"):
            register_repository(allowed, f"{url}/octo/boat.git")
        row = register_repository(allowed, f"{url}/octo/boat.git", token="hunter3")
        refresh_repository(allowed, row.id)
    (secret,) = list_secrets(site, row.id)
    assert secret.name == "WINDLASS_GITHUB_TOKEN"
    assert "hunter3" not in secret.value


@pytest.mark.parametrize(
    "name",
    [
        "boat",
        "octo/",
        "/boat",
        "octo/boat/more",
        "../boat",
        "octo/..",
        "octo/.",
        "octo/boat.git",
        "octo/bo at",
        "octo/bo\nat",
        "octo/<script>",
        "-octo/boat",
        "octo/böat",
        "o" * 70 + "/" + "b" * 70,
    ],
)
@pytest.mark.parametrize("database_address", ["sqlite"], indirect=True)
def test_names_that_are_none(site: Site, pushed: PushedRepository, name: str) -> None:
    """They are refused: a name is a part of addresses."""
    with pytest.raises(InvalidError):
        register_repository(site, str(pushed.bare), name)
    assert list_repositories(site) == []


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/octo/boat.git",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/octo/boat",
        "https://2130706433/octo/boat",
        "https://localhost/octo/boat",
        "file:///srv/git/boat",
        "ext::sh -c id",
        "/nowhere",
    ],
)
@pytest.mark.parametrize("database_address", ["sqlite"], indirect=True)
def test_places_that_are_not_asked(site: Site, location: str) -> None:
    """Nothing is entered."""
    with pytest.raises(InvalidError):
        register_repository(site, location, NAME)
    assert list_repositories(site) == []


def test_a_place_that_was_allowed_once(site: Site, tmp_path: Path) -> None:
    """It is looked at again before each fetch."""
    remotes = Remotes(tmp_path)
    sha = remotes.publish("octo/boat", {"a": "1"})
    with remotes.over_http(smart=True) as url:
        allowed = replace(site, allowed_hosts=("127.0.0.1",))
        row = register_repository(allowed, f"{url}/octo/boat.git")
        receipt = accept_delivery(site, row, "1", "push", tell_push("0" * 40, sha))
        process_delivery(site, receipt.id)
    delivery = find_delivery(site.store, receipt.id)
    assert delivery is not None
    assert delivery.state == "refused"
    assert "public Internet" in delivery.message


def test_names_that_are_taken(site: Site, pushed: PushedRepository) -> None:
    """In any case."""
    register_repository(site, str(pushed.bare), NAME)
    with pytest.raises(ConflictError, match="OCTO/boat"):
        register_repository(site, str(pushed.bare), "OCTO/boat")


def test_a_list_in_pages(site: Site, pushed: PushedRepository) -> None:
    """By name, from behind one of them."""
    for name in ("b", "a", "c"):
        register_repository(site, str(pushed.bare), f"octo/{name}")
    assert [row.name for row in list_repositories(site, limit=2)] == ["octo/a", "octo/b"]
    assert [row.name for row in list_repositories(site, "octo/b", 2)] == ["octo/c"]


@pytest.mark.parametrize(
    "settings",
    [
        {"unknown": 1},
        {"host": "yes"},
        {"host": 1},
        {"public_badge": None},
        {"poll_seconds": 4},
        {"poll_seconds": -1},
        {"poll_seconds": 86401},
        {"poll_seconds": 7.5},
        {"poll_seconds": True},
        {"poll_seconds": "30"},
        {"rules": {}},
        {"rules": [1]},
        {"rules": [{}]},
        {"rules": [{"branches": []}]},
        {"rules": [{"branches": "main"}]},
        {"rules": [{"branches": [""]}]},
        {"rules": [{"branches": ["main"], "workflow": []}]},
        {"rules": [{"branches": ["main"], "workflows": [1]}]},
        {"rules": [{"branches": ["main"], "variables": []}]},
        {"rules": [{"branches": ["main"], "variables": {"A": 1}}]},
        {"rules": [{"branches": ["main"], "variables": {"GITHUB_SHA": "x"}}]},
        {"rules": [{"branches": ["main"], "variables": {"1A": "x"}}]},
        {"rules": [{"branches": ["main"]}] * 101},
    ],
)
@pytest.mark.parametrize("database_address", ["sqlite"], indirect=True)
def test_settings_that_cannot_be(
    site: Site, pushed: PushedRepository, settings: dict[str, Any]
) -> None:
    """They are refused, and what was set stays."""
    row = register_repository(site, str(pushed.bare), NAME)
    with pytest.raises(InvalidError):
        change_settings(site, NAME, settings)
    assert require_repository(site, NAME) == row


def test_settings(site: Site, pushed: PushedRepository) -> None:
    """What is not named stays as it is."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 0})
    row = change_settings(site, NAME, {"host": True})
    assert row.settings == {"host": True, "poll_seconds": 0, "public_badge": False, "rules": []}


def test_the_secret_of_webhooks(site: Site, pushed: PushedRepository) -> None:
    """It is another one each time, and is kept sealed."""
    assert find_webhook_secret(site, register_repository(site, str(pushed.bare), NAME)) is None
    first, second = renew_webhook_secret(site, NAME), renew_webhook_secret(site, NAME)
    row = require_repository(site, NAME)
    assert first != second == find_webhook_secret(site, row)
    assert second not in str(row.webhook_secret)
    (site.data / "key").unlink()
    with pytest.raises(PlatformError):
        find_webhook_secret(site, row)


def test_removing_one(site: Site, pushed: PushedRepository) -> None:
    """Nothing of it is left but its runs, and the name is free; effects of it do nothing."""
    row = register_repository(site, str(pushed.bare), NAME)
    refresh_repository(site, row.id)
    receipt = accept_delivery(site, row, "1", "push", tell_push(*pushed.push()))
    run = start_run(site, row.id, define("on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n"))
    with pytest.raises(ConflictError, match="1 runs"):
        remove_repository(site, NAME)
    cancel_run(site, run)
    remove_repository(site, NAME)
    assert find_repository(site.store, row.id) is None
    assert find_delivery(site.store, receipt.id) is None
    assert list((site.data / "mirrors").iterdir()) == []
    process_delivery(site, receipt.id)
    refresh_repository(site, row.id)
    with pytest.raises(MissingError, match=NAME):
        remove_repository(site, NAME)
    register_repository(site, str(pushed.bare), NAME)


def test_secrets_that_jobs_may_have(site: Site) -> None:
    """Code of a fork has none, and no code has the server's own token."""
    assert find_job_secrets(site, "1", from_fork=True) == {}
    assert find_job_secrets(site, "1", from_fork=False) == {"PASSWORD": "hunter2"}
