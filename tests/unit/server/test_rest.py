"""The catalogue over HTTP: pages, conditional reads, requests that may be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from tests.hosted_site import ask, enter_runs

from windlass.db.replies import (
    ReplyRow,
    begin_reply,
    claim_reply,
    remove_replies,
    take_over,
)
from windlass.db.servers import ServerRow, forget_server, note_server
from windlass.errors import ConflictError
from windlass.model.values import replace
from windlass.operations.hosted.catalogue import CATALOGUE
from windlass.operations.hosted.operation import Operation
from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Input, Output
from windlass.server.rest import endpoints, replays
from windlass.server.rest.openapi import describe

if TYPE_CHECKING:
    from typing import Any

    import httpx

    from windlass.operations.hosted.site import Site

RUNS = "/api/v1/runs"


@pytest.mark.requirement("A24")
def test_a_list_comes_in_pages(site: Site) -> None:
    """`next` and the Link header lead from page to page, until all was told once."""
    rows = enter_runs(site, 7)
    client = ask(site)
    ids: list[str] = []
    url: str | None = f"{RUNS}?limit=3&repository=r1"
    sizes = []
    while url is not None:
        answer = client.get(url)
        page = answer.json()
        ids += [run["run"] for run in page["items"]]
        sizes.append(len(page["items"]))
        url = answer.links["next"]["url"] if "next" in answer.links else None
        assert (url is None) == (page["next"] is None)

    assert ids == [row.run.id for row in rows]
    assert sizes == [3, 3, 1]


def test_a_last_page_that_is_full_has_no_next(site: Site) -> None:
    """Nobody is led to a page without anything."""
    enter_runs(site, 3)

    assert ask(site).get(f"{RUNS}?limit=3").json()["next"] is None


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "e30", "bnVsbA", "WzEuNSwgIlx1MDAwMCJd"])
def test_a_cursor_of_ones_own_is_refused(site: Site, cursor: str) -> None:
    """What is not a cursor of this list is said to be none."""
    answer = ask(site).get(f"{RUNS}?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.requirement("P10")
def test_what_has_not_changed_is_not_told_again(site: Site) -> None:
    """With the ETag of what is known, a read answers 304 until something has changed."""
    enter_runs(site, 1)
    client = ask(site)
    tag = client.get(RUNS).headers["etag"]

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(RUNS, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)

    enter_runs(site, 2)
    assert client.get(RUNS, headers={"If-None-Match": tag}).status_code == 200


BAD = (
    ("GET", RUNS + "?limit=0", None, 422, "invalid"),
    ("GET", RUNS + "?limit=101", None, 422, "invalid"),
    ("GET", RUNS + "?limit=%2B5", None, 422, "invalid"),
    ("GET", RUNS + "?limit=five", None, 422, "invalid"),
    ("GET", RUNS + "?limit=5&limit=6", None, 400, "usage"),
    ("GET", RUNS + "?nonsense=1", None, 422, "invalid"),
    ("GET", RUNS + "?branch=main", None, 422, "invalid"),
    ("GET", RUNS + "?state=%00", None, 422, "invalid"),
    ("GET", RUNS + "/none", None, 404, "missing"),
    ("GET", RUNS + "/a%00b", None, 422, "invalid"),
    ("GET", RUNS + "/2?attempt=9", None, 404, "missing"),
    ("GET", RUNS + "/2/jobs/9", None, 404, "missing"),
    ("GET", RUNS + "/2/jobs/nine", None, 422, "invalid"),
    ("PATCH", RUNS, None, 405, "method"),
    ("GET", "/api/v2/runs", None, 404, "missing"),
    ("DELETE", RUNS + "/1", None, 409, "conflict"),
    ("DELETE", RUNS + "/2", b'{"all": true}', 400, "usage"),
    ("POST", RUNS + "/2/rerun", b"{", 400, "usage"),
    ("POST", RUNS + "/2/rerun", b'{"failed": NaN}', 400, "usage"),
    ("POST", RUNS + "/2/rerun", b"[" * 100_000, 400, "usage"),
    ("POST", RUNS + "/2/rerun", b"[]", 422, "invalid"),
    ("POST", RUNS + "/2/rerun", b'{"failed": "yes"}', 422, "invalid"),
    ("POST", RUNS + "/2/rerun", b'{"run": "1"}', 422, "invalid"),
    ("POST", RUNS + "/2/rerun?failed=true", b"{}", 422, "invalid"),
    ("POST", RUNS + "/2/rerun", b'{"failed": true, "job": "x"}', 422, "invalid"),
    ("POST", RUNS + "/1/rerun", b"{}", 409, "conflict"),
)


@pytest.mark.parametrize(("method", "url", "body", "status", "code"), BAD)
@pytest.mark.requirement("P02")
def test_a_bad_request_is_told_what_is_wrong(
    site: Site, method: str, url: str, body: bytes | None, status: int, code: str
) -> None:
    """Every mistake has its status, its kind and a word for people."""
    enter_runs(site, 2)
    headers = {"Content-Type": "application/json"} if body else {}

    answer = ask(site).request(method, url, content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{}", b" {}\n"])
def test_a_body_that_says_nothing_is_none(site: Site, body: bytes) -> None:
    """Clients that send an empty object with every request are understood."""
    headers = {"Content-Type": "application/json"}

    answer = ask(site).request("DELETE", "/api/v1/runners/none", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (404, "missing")


def test_a_body_has_to_be_json(site: Site) -> None:
    """A form, or text, is not taken for JSON."""
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-json"}):
        answer = ask(site).post(f"{RUNS}/1/rerun", content=b"{}", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (415, "media-type")


def test_what_was_given_is_not_said_again(site: Site) -> None:
    """A value that cannot be used may be a secret: the answer names its field alone."""
    answer = ask(site).post(f"{RUNS}/1/rerun", json={"failed": "s3cret", "job": 5})

    assert {error["field"] for error in answer.json()["errors"]} == {"failed", "job"}
    assert "s3cret" not in answer.text


def test_a_run_that_is_deleted_is_gone(site: Site) -> None:
    """Its folder goes with it."""
    enter_runs(site, 2)
    folder = site.data / "runs" / "2" / "1"
    folder.mkdir(parents=True)
    client = ask(site)

    assert client.delete(f"{RUNS}/2").status_code == 204
    assert client.get(f"{RUNS}/2").status_code == 404
    assert not folder.parent.exists()


class Counted(Input):
    """Given to the operation that counts."""

    step: int = 1


class Count(Output):
    """What it answers."""

    count: int


class Counter:
    """An operation that has an effect."""

    def __init__(self, site: Site, *, once: bool = False) -> None:
        self.count = 0
        self.error: Exception | None = None
        operation = Operation(
            call=Call("counter.add", "POST", "/counter", Counted, Count),
            effect="write",
            function=self.add,
            status=201,
            once=once,
        )
        endpoint = endpoints.Endpoint(site, operation)
        from starlette.routing import Route

        self.client = ask(site, guarded=[Route("/counter", endpoint.answer, methods=["POST"])])

    def add(self, _: Site, given: Counted) -> Count:
        """Count."""
        if self.error is not None:
            raise self.error
        self.count += given.step
        return Count(count=self.count)

    def post(self, key: str | None, **given: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post("/counter", json=given, headers=headers)


def test_a_request_with_a_key_is_carried_out_once(site: Site) -> None:
    """Sent again it has the same answer; another key, or none, is another request."""
    counter = Counter(site)

    first, again = counter.post("k"), counter.post("k")

    assert (
        (again.status_code, again.json())
        == (first.status_code, first.json())
        == (201, {"count": 1})
    )
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert counter.post("other").json() == {"count": 2}
    assert counter.post(None).json() == {"count": 3}


def test_an_integer_may_have_a_point(site: Site) -> None:
    """In JSON 5.0 is an integer: the schema allows it; a text is none."""
    counter = Counter(site)

    assert counter.post(None, step=5.0).json() == {"count": 5}
    assert counter.post(None, step=5.5).status_code == 422
    assert counter.post(None, step="5").status_code == 422


def test_a_key_is_of_one_request(site: Site) -> None:
    """With another body it is refused, and nothing is done."""
    counter = Counter(site)
    counter.post("k")

    answer = counter.post("k", step=5)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert counter.count == 1


def test_what_has_failed_may_be_tried_again(site: Site) -> None:
    """The key of a request that failed is free."""
    counter = Counter(site)
    counter.error = ZeroDivisionError("broken")
    assert counter.post("k").status_code == 500

    counter.error = None
    assert counter.post("k").json() == {"count": 1}


def test_a_request_is_not_carried_out_twice_at_once(site: Site) -> None:
    """While it is, its repetition is told so; after a while whoever did it is taken for dead."""
    counter = Counter(site)
    first = counter.post("k")
    digest = site.store.ask("SELECT digest FROM replies")[0][0]
    for age, status in ((5, 409), (100, 201)):
        with site.store.writing() as connection:
            remove_replies(connection, site.now() + 1)
            row = ReplyRow(
                token="1", key="k", digest=digest, created=site.now() - age, server=site.id
            )
            begin_reply(connection, row)

        assert counter.post("k").status_code == status
    assert (first.json(), counter.count) == ({"count": 1}, 2)


def test_a_dead_servers_requests_are_carried_out_by_others(site: Site) -> None:
    """As soon as it counts as dead, and not while it is there; nobody waits for its patience."""
    counter = Counter(site)
    counter.post("k")
    digest = site.store.ask("SELECT digest FROM replies")[0][0]
    with site.store.writing() as connection:
        remove_replies(connection, site.now() + 1)
        note_server(connection, ServerRow("other", 0.0, site.now()))
        row = ReplyRow(token="1", key="k", digest=digest, created=site.now(), server="other")
        begin_reply(connection, row)
    assert counter.post("k").status_code == 409

    with site.store.writing() as connection:
        forget_server(connection, "other")

    assert counter.post("k").status_code == 201
    with site.store.writing() as connection:
        assert not claim_reply(connection, row)


def test_who_was_taken_for_dead_does_nothing(site: Site) -> None:
    """One that stood still for too long finds its request with another, and leaves it there."""
    request = replays.Request(token="1", key="k", digest="d")

    def carry_out(own: Site) -> replays.Answer:
        (known,) = site.store.ask("SELECT created FROM replies")
        row = ReplyRow(token="1", key="k", digest="d", created=known[0], server=site.id)
        with site.store.writing() as connection:
            assert take_over(connection, row, replace(row, created=known[0] + 100))
        with own.store.writing() as connection:
            connection.execute("DELETE FROM access_tokens")
            own.claim(connection)
        raise AssertionError("it was claimed")

    with pytest.raises(ConflictError, match="another server"):
        replays.answer_once(site, request, carry_out, lambda: replays.Answer(200, ""))

    assert [
        tuple(row) for row in site.store.ask("SELECT idempotency_key, status FROM replies")
    ] == [("k", 0)]


def test_a_secret_answer_is_not_kept(site: Site) -> None:
    """What is told once is not in the database, and not told again."""
    counter = Counter(site, once=True)

    first, again = counter.post("k"), counter.post("k")

    assert first.headers["cache-control"] == "no-store"
    assert (again.status_code, counter.count) == (409, 1)
    assert [row[0] for row in site.store.ask("SELECT body FROM replies")] == [""]


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "ä"])
def test_a_key_is_visible_ascii(site: Site, key: str) -> None:
    """What cannot be a key is refused."""
    answer = Counter(site).client.post(
        "/counter", json={}, headers={"Idempotency-Key": key.encode("latin-1")}
    )

    assert answer.status_code == 422


@pytest.mark.requirement("P09")
def test_the_description_holds_every_operation(site: Site) -> None:
    """The document has an entry for each, with a summary and an example that its schema allows."""
    document = ask(site).get("/api/v1/openapi.json").json()
    schemas = {"components": document["components"]}
    entries = {it["operationId"]: it for path in document["paths"].values() for it in path.values()}

    assert set(entries) == {operation.name for operation in CATALOGUE}
    assert document == describe(CATALOGUE, site.address)
    for entry in entries.values():
        assert entry["summary"].endswith(".")
        for content in find_contents(entry):
            Draft202012Validator({**schemas, **content["schema"]}).validate(content["example"])


def find_contents(value: Any) -> list[dict[str, Any]]:
    """What a part of the document says of bodies."""
    if isinstance(value, list):
        return [found for it in value for found in find_contents(it)]
    if not isinstance(value, dict):
        return []
    own = [value] if "schema" in value and "example" in value else []
    return own + [found for it in value.values() for found in find_contents(it)]
