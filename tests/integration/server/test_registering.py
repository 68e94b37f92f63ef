"""A machine becomes a runner once, however often it has to ask, and whoever is killed over it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runner import describe_runner
from tests.hosted_runs import open_site
from tests.hosted_site import ask
from tests.live_server import RunningServer, running

from windlass.errors import PlatformError, UsageError
from windlass.operations.hosted.credentials import digest_credential
from windlass.operations.hosted.runners import (
    create_registration,
    find_credential,
    list_runners,
    remove_runner,
    revoke_runner,
)
from windlass.protocol.runner import PREFIX, RegisterRequest
from windlass.runner.connection import AwayError, Connection, read_address
from windlass.runner.identity import RunnerState
from windlass.runner.registration import find_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx import Response
    from starlette.testclient import TestClient

    from windlass.operations.hosted.site import Site
    from windlass.runner.identity import Identity

DIGEST = "a" * 64


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    with running(site) as it:
        yield it


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with ask(site, token=None) as made:
        yield made


def identify(server: RunningServer, folder: Path, token: str) -> Identity:
    """What a process of a runner does first."""
    request = RegisterRequest(token=token, name="boat", labels=("x",), capacity=1)
    state, stopped = RunnerState(folder), threading.Event()
    folder.mkdir(exist_ok=True)
    address = read_address(server.address)
    found = find_identity(state, address, request, lambda _: None, stopped)
    assert found is not None
    return found


def lose(monkeypatch: pytest.MonkeyPatch, answers: int) -> list[str]:
    """Have that many answers lost; return what was asked, as it comes."""
    post, asked = Connection.post, list[str]()

    def post_and_lose(connection: Connection, path: str, body: str, *more: Any) -> Any:
        answer = post(connection, path, body, *more)
        asked.append(body)
        if len(asked) <= answers:
            raise AwayError("the answer was lost")
        return answer

    monkeypatch.setattr(Connection, "post", post_and_lose)
    return asked


def fail(*_: object) -> None:
    raise PlatformError("killed before anything was kept")


def test_an_answer_that_is_lost(
    site: Site, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same is asked again, and it is the same runner with the same credential."""
    asked = lose(monkeypatch, 2)
    identity = identify(server, tmp_path / "state", create_registration(site).token)
    (runner,) = list_runners(site)
    assert len(set(asked)) == 1
    assert identity.runner == runner.row.id
    found = find_credential(site, identity.credential)
    assert found is not None
    assert found.id == runner.row.id


def test_a_runner_that_is_killed_over_the_answer(
    site: Site, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again with the same token it is the runner that it had become."""
    token, folder = create_registration(site).token, tmp_path / "state"
    with monkeypatch.context() as patched:
        patched.setattr(RunnerState, "write", fail)
        with pytest.raises(PlatformError, match="killed"):
            identify(server, folder, token)
    (runner,) = list_runners(site)
    identity = identify(server, folder, token)
    assert [it.row.id for it in list_runners(site)] == [runner.row.id] == [identity.runner]
    assert [it.name for it in folder.iterdir()] == ["runner.json"]


def test_another_token_makes_another_credential(
    site: Site, server: RunningServer, tmp_path: Path
) -> None:
    """What was drawn for a token that is not good is not used with another one."""
    folder = tmp_path / "state"
    with pytest.raises(UsageError, match="the token is not good"):
        identify(server, folder, "wlg_made_up")
    drawn = (folder / "drawn.json").read_text()
    identity = identify(server, folder, create_registration(site).token)
    assert identity.credential not in drawn


def test_a_server_that_draws_credentials_itself(
    site: Site, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not know of digests tells a credential, and that one counts."""
    monkeypatch.delitem(RegisterRequest.members, "digest")
    identity = identify(server, tmp_path / "state", create_registration(site).token)
    assert find_credential(site, identity.credential) is not None


def post(client: TestClient, token: str, **said: Any) -> Response:
    answer: Response = client.post(f"{PREFIX}/register", json=describe_runner(token, **said))
    return answer


def test_a_registration_is_answered_again(site: Site, client: TestClient) -> None:
    """With the same runner, and without a credential: the server does not know it."""
    token = create_registration(site).token
    answers = [post(client, token, digest=DIGEST) for _ in range(3)]
    assert [it.status_code for it in answers] == [200] * 3
    (told,) = {it.text for it in answers}
    (runner,) = list_runners(site)
    assert answers[0].json() == {"runner": runner.row.id, "credential": ""}, told


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"digest": "b" * 64}, id="another-credential"),
        pytest.param({}, id="no-credential"),
        pytest.param({"digest": DIGEST, "name": "other"}, id="another-name"),
    ],
)
def test_a_token_that_another_machine_has_used(
    site: Site, client: TestClient, said: dict[str, Any]
) -> None:
    """Whoever has seen the token, and not what the runner has drawn, becomes nobody."""
    token = create_registration(site).token
    post(client, token, digest=DIGEST)
    assert post(client, token, **said).status_code == 401
    assert [it.row.name for it in list_runners(site)] == ["boat"]


@pytest.mark.parametrize("end", [revoke_runner, remove_runner], ids=["revoked", "removed"])
def test_a_runner_that_is_none_any_more(
    site: Site, client: TestClient, end: Callable[[Site, str], None]
) -> None:
    """It does not come back by the token that it had."""
    token = create_registration(site).token
    post(client, token, digest=DIGEST)
    end(site, "boat")
    assert post(client, token, digest=DIGEST).status_code == 401


def test_the_credential_of_another_runner(site: Site, client: TestClient) -> None:
    """Nobody becomes a second runner by the digest of it, and the token stays good."""
    post(client, create_registration(site).token, digest=DIGEST)
    token = create_registration(site).token
    refused = post(client, token, name="other", digest=DIGEST)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert post(client, token, name="other", digest="b" * 64).status_code == 200


def test_a_digest_that_is_none(site: Site, client: TestClient) -> None:
    """It would be a credential that nobody can show, or one that is known."""
    for digest in ("A" * 64, "a" * 63, digest_credential("x") + "\n", 7):
        answer = post(client, create_registration(site).token, digest=digest)
        assert answer.status_code == 422, answer.text
