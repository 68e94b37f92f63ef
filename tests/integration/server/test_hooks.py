"""Hooks: what is posted to a server, signed or not, once or again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from tests.hosted_runs import open_site
from tests.hosted_site import check_token
from tests.npm import install
from tests.pushed_repository import NOTHING, PushedRepository, tell_push

from windlass.db.deliveries import list_deliveries
from windlass.db.effects import list_waiting
from windlass.db.runs import list_latest
from windlass.events.occasions import KNOWN_EVENTS
from windlass.events.signatures import sign
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import DELIVERY, process_delivery
from windlass.operations.hosted.pushes import look
from windlass.operations.hosted.repositories import (
    register_repository,
    renew_webhook_secret,
    require_repository,
)
from windlass.server.app import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Response

    from windlass.db.deliveries import DeliveryRow
    from windlass.operations.hosted.site import Site

NAME = "octo/boat"
GITHUB = f"/hooks/github/{NAME}"
GIT = f"/hooks/git/{NAME}"
on_one_database = pytest.mark.parametrize("database_address", ["sqlite"], indirect=True)
"""For what is refused before a database is asked."""


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(database_address: str, tmp_path: Path, pushed: PushedRepository) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data") as opened:
        opened.data.mkdir()
        register_repository(opened, str(pushed.bare), NAME)
        yield opened


@pytest.fixture
def secret(site: Site) -> str:
    return renew_webhook_secret(site, NAME)


@pytest.fixture
def client(site: Site) -> TestClient:
    return TestClient(make_app(site, check_token), base_url=site.address)


def post(
    client: TestClient,
    secret: str,
    body: str | bytes,
    *,
    event: str = "push",
    guid: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    form: bool = False,
    at: str = GITHUB,
    **headers: str,
) -> Response:
    """Post a webhook as GitHub does."""
    content = body.encode() if isinstance(body, str) else body
    if form:
        content = urlencode({"payload": content}).encode()
    named = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": sign(secret, content),
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
    }
    return client.post(at, content=content, headers={**named, **headers})


def deliveries(site: Site) -> list[DeliveryRow]:
    return list_deliveries(site.store, require_repository(site, NAME).id, 99)[::-1]


def carry_out(site: Site) -> None:
    """Process what is waiting, as the effects do."""
    for effect in list_waiting(site.store, 99):
        if effect.kind == DELIVERY:
            process_delivery(site, effect.payload["delivery"])


def test_githubs_own_example() -> None:
    """The signature is GitHub's: the example of its documentation."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign("It's a Secret to Everybody", b"Hello, World!") == expected


@pytest.mark.requirement("A02")
@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_push(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository, *, form: bool
) -> None:
    """It is accepted at once, and starts runs when it is processed."""
    payload = tell_push(*pushed.push(), repository={"full_name": NAME}, sender={"login": "mo"})
    answer = post(client, secret, payload, form=form)
    assert answer.status_code == 202
    assert answer.json()["state"] == "received"
    assert list_latest(site.store) == []
    carry_out(site)
    (run,) = list_latest(site.store)
    assert run.run.delivery == answer.json()["delivery"]
    assert find_attempt(site.store, run.run.id, 1).event.payload == json.loads(payload)


@pytest.mark.parametrize("guid", ["72d3162e-cc78-11e3-81ab-4c9367dc0958", "another"])
def test_a_push_that_is_posted_again(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository, guid: str
) -> None:
    """Neither GitHub's redelivery nor a replay under a new name starts anything."""
    payload = tell_push(*pushed.push())
    assert post(client, secret, payload).json()["state"] == "received"
    answer = post(client, secret, payload, guid=guid)
    assert (answer.status_code, answer.json()) == (202, {"state": "known"})
    carry_out(site)
    assert len(list_latest(site.store)) == 1


def test_an_old_push_that_is_replayed(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """It changes nothing of what the server knows of the branch."""
    first = tell_push(*pushed.push())
    post(client, secret, first)
    post(client, secret, tell_push(*pushed.push()), guid="2")
    assert post(client, secret, first, guid="3").json() == {"state": "known"}
    assert look(site, require_repository(site, NAME)) == 0


def test_the_same_dispatch_twice(site: Site, client: TestClient, secret: str) -> None:
    """Somebody may well ask for the same again: only its name tells a redelivery."""
    body = json.dumps({"ref": "refs/heads/main", "workflow": ".github/workflows/ci.yml"})
    states = [
        post(client, secret, body, event="workflow_dispatch", guid=guid).json()["state"]
        for guid in ("1", "2", "2")
    ]
    assert states == ["received", "received", "known"]


def test_a_push_that_a_look_has_found(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """It starts its runs once, whoever is first."""
    payload = tell_push(*pushed.push())
    assert look(site, require_repository(site, NAME)) == 1
    post(client, secret, payload)
    carry_out(site)
    assert len(list_latest(site.store)) == 1
    assert [row.state for row in deliveries(site)] == ["started", "nothing"]

    post(client, secret, tell_push(*pushed.push()), guid="2")
    assert look(site, require_repository(site, NAME)) == 0


@on_one_database
@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=é", "nonsense"],
)
def test_a_forged_signature(site: Site, client: TestClient, secret: str, signature: str) -> None:
    """Nothing is written down."""
    payload = tell_push(NOTHING, "a" * 40)
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "1"}
    named = {**headers, "X-Hub-Signature-256": signature.encode()}
    assert client.post(GITHUB, content=payload, headers=named).status_code == 403  # type: ignore[arg-type]
    assert deliveries(site) == []


@on_one_database
def test_who_may_not_post(site: Site, client: TestClient, secret: str) -> None:
    """A wrong secret, an old one, none at all and a stranger's repository look the same."""
    payload = tell_push(NOTHING, "a" * 40)
    renewed = renew_webhook_secret(site, NAME)
    answers = [
        post(client, "wrong", payload),
        post(client, secret, payload),
        post(client, renewed, payload, at="/hooks/github/octo/none"),
        post(client, "", payload, at="/hooks/github/octo/boat7"),
        post(client, renewed, payload + " ", **{"X-Hub-Signature-256": sign(renewed, b"{}")}),
    ]
    assert {(it.status_code, it.text) for it in answers} == {(403, answers[0].text)}
    assert post(client, renewed, payload).status_code == 202


@on_one_database
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"push"', 400),
        (b"\xff\xfe", 400),
        (b'{"a": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, 400),
        (b"{}", 422),
        (b'{"ref": "main"}', 422),
        (b'{"ref": 1, "before": [], "after": {}}', 422),
        (tell_push("a" * 40, "HEAD").encode(), 422),
        (tell_push("a" * 40, "b" * 39).encode(), 422),
        (tell_push("a" * 40, "b" * 40, "refs/heads/../../x").encode(), 422),
        (tell_push("a" * 40, "b" * 40, "--upload-pack=x").encode(), 422),
        (tell_push("a" * 40, "b" * 40, "refs/pull/1/head").encode(), 422),
    ],
)
def test_bodies_that_are_no_push(
    site: Site, client: TestClient, secret: str, body: bytes, status: int
) -> None:
    """They are refused with what is wrong, and not kept."""
    answer = post(client, secret, body)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert deliveries(site) == []


@on_one_database
def test_a_form_without_a_payload(client: TestClient, secret: str) -> None:
    """It is refused."""
    content = b"other=1"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Hub-Signature-256": sign(secret, content),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "1",
    }
    assert client.post(GITHUB, content=content, headers=headers).status_code == 400


@on_one_database
@pytest.mark.parametrize(
    ("event", "guid"), [("", "1"), ("push", ""), ("PUSH", "1"), ("a" * 65, "1"), ("push", "a b")]
)
def test_headers_that_name_nothing(client: TestClient, secret: str, event: str, guid: str) -> None:
    """They are refused, though signed."""
    assert post(client, secret, "{}", event=event, guid=guid).status_code == 400


@on_one_database
def test_a_body_that_is_too_large(site: Site, client: TestClient, secret: str) -> None:
    """Nobody's webhook has more than 25 MiB."""
    assert post(client, secret, b"x" * ((25 << 20) + 1)).status_code == 413
    assert deliveries(site) == []


@on_one_database
@pytest.mark.parametrize("event", ["ping", "star", "nobody_knows_this"])
def test_events_that_start_nothing(site: Site, client: TestClient, secret: str, event: str) -> None:
    """They are accepted, so that nobody tries again, and not kept."""
    answer = post(client, secret, '{"zen": "Keep it simple"}', event=event)
    assert (answer.status_code, answer.json()) == (202, {"state": "ignored"})
    assert deliveries(site) == []


def read_examples() -> dict[str, list[dict[str, Any]]]:
    """GitHub's examples of payloads, by event."""
    home = install("webhooks-examples", "@octokit/webhooks-examples@7.6.1")
    index = home / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {it["name"]: it["examples"] for it in json.loads(index.read_text())}


@on_one_database
def test_all_of_githubs_examples(site: Site, client: TestClient, secret: str) -> None:
    """Every payload that GitHub documents is taken; those of events of workflows are kept."""
    counts = dict.fromkeys(("received", "ignored", "known"), 0)
    for event, examples in read_examples().items():
        for number, example in enumerate(examples):
            answer = post(
                client, secret, json.dumps(example), event=event, guid=f"{event}-{number}"
            )
            assert answer.status_code == 202, (event, number, answer.text)
            state = answer.json()["state"]
            assert (state == "ignored") == (event not in KNOWN_EVENTS)
            counts[state] += 1
    assert counts["received"] > 150
    assert counts["ignored"] > 100


def tell(client: TestClient, secret: str, *updates: tuple[str, str, str]) -> Response:
    """Tell of pushes as our own hook does."""
    told = [{"ref": ref, "before": before, "after": after} for ref, before, after in updates]
    body = json.dumps({"updates": told}).encode()
    headers = {"X-Windlass-Signature-256": sign(secret, body)}
    return client.post(GIT, content=body, headers=headers)


MAIN = "refs/heads/main"


def test_a_push_of_plain_git(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """It starts its runs once, however often it is told, and a look finds nothing more."""
    before, after = pushed.push()
    answer = tell(client, secret, (MAIN, before, after))
    assert (answer.status_code, answer.json()) == (202, {"state": "received", "pushes": 1})
    assert tell(client, secret, (MAIN, before, after)).json()["pushes"] == 0
    assert look(site, require_repository(site, NAME)) == 0
    carry_out(site)
    (run,) = list_latest(site.store)
    assert (run.run.sha, run.run.event) == (after, "push")


def test_pushes_that_are_told_in_the_wrong_order(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """The newest commit has its run, and an older one none after it."""
    first, second = pushed.push(), pushed.push()
    assert tell(client, secret, (MAIN, *second)).json()["pushes"] == 1
    assert tell(client, secret, (MAIN, *first)).json()["pushes"] == 0
    carry_out(site)
    assert [run.run.sha for run in list_latest(site.store)] == [second[1]]


def test_a_push_that_was_never_made(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """The repository itself decides what its branches are."""
    assert tell(client, secret, (MAIN, "a" * 40, "b" * 40)).json()["pushes"] == 0
    assert tell(client, secret, ("refs/notes/x", NOTHING, "b" * 40)).json()["pushes"] == 0
    assert deliveries(site) == []


def test_branches_and_tags_that_come_and_go(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """They are pushes too, and `create` and `delete`."""
    sha = pushed.find(MAIN)
    pushed.git("push", "-q", str(pushed.bare), "main:old", "main:refs/tags/v1")
    tell(client, secret, ("refs/heads/old", NOTHING, sha), ("refs/tags/v1", NOTHING, sha))
    pushed.git("push", "-q", str(pushed.bare), ":old")
    tell(client, secret, ("refs/heads/old", sha, NOTHING))
    assert [row.event for row in deliveries(site)] == [
        *("push", "create", "push", "create"),
        *("push", "delete"),
    ]
    carry_out(site)
    assert [row.state for row in deliveries(site)] == [
        *("started", "nothing", "started", "nothing"),
        *("nothing", "nothing"),
    ]


def test_many_tags_at_once(
    site: Site, client: TestClient, secret: str, pushed: PushedRepository
) -> None:
    """Four are a copy of a repository, and start nothing; the branch beside them does."""
    sha, after = pushed.find(MAIN), pushed.push()[1]
    tags = [f"refs/tags/v{number}" for number in range(4)]
    pushed.git("push", "-q", str(pushed.bare), *(f"main:{tag}" for tag in tags))
    tell(client, secret, *((tag, NOTHING, after) for tag in tags), (MAIN, sha, after))
    assert [row.event for row in deliveries(site)] == ["push"]
    assert look(site, require_repository(site, NAME)) == 0


@on_one_database
@pytest.mark.parametrize(
    "body", [b"{}", b'{"updates": 1}', b'{"updates": [{"ref": "refs/heads/x"}]}']
)
def test_updates_that_are_none(client: TestClient, secret: str, body: bytes) -> None:
    """They are refused."""
    headers = {"X-Windlass-Signature-256": sign(secret, body)}
    assert client.post(GIT, content=body, headers=headers).status_code == 422


@on_one_database
def test_updates_that_nobody_signed(site: Site, client: TestClient, secret: str) -> None:
    """They are refused."""
    assert tell(client, "wrong", (MAIN, NOTHING, "a" * 40)).status_code == 403


def test_a_look_finds_what_was_pushed(site: Site, pushed: PushedRepository) -> None:
    """Also with a new default branch, and all that happened since as one push."""
    pushed.push()
    pushed.push()
    pushed.git("push", "-q", str(pushed.bare), "main:trunk")
    pushed.git("symbolic-ref", "HEAD", "refs/heads/trunk", at=pushed.bare)
    assert look(site, require_repository(site, NAME)) == 2
    assert require_repository(site, NAME).default_branch == "trunk"
    assert [row.event for row in deliveries(site)] == ["push", "push", "create"]
