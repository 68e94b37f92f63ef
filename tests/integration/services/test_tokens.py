"""Who is let in: tokens and signed addresses, right, wrong, expired and of others."""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.integration.services.calling import Caller, put_block, put_list, send

from windlass.services.jobs import ServedJob
from windlass.services.messages import Response
from windlass.services.server import Server
from windlass.services.tokens import Tokens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.services.serving import Place

JOB = ServedJob(run="1", attempt=1, key="build")


def read_claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * 3))
    return claims


def test_what_clients_read_from_a_token() -> None:
    """A token names run and job as GitHub's clients look for them: three parts, no blanks."""
    claims = read_claims(Tokens().issue(JOB))

    assert claims["scp"] == f"Actions.Results:{JOB.run_id}:{JOB.job_id}"
    assert claims["exp"] > claims["nbf"]


@pytest.mark.parametrize("key", ["a:b", "build (3.12, linux)", "ü / ß", "x" * 300])
def test_any_name_of_a_job_fits_into_a_token(key: str) -> None:
    """Whatever a job is called, its name in a token has no colon and no blank."""
    job = ServedJob(run="1", attempt=1, key=key)

    assert len(read_claims(Tokens().issue(job))["scp"].split(":")) == 3
    assert " " not in job.job_id
    assert job.job_id != JOB.job_id


def test_tokens_expire() -> None:
    """A token and a signed address are good until their time is over."""
    now = 1000.0
    tokens = Tokens(lambda: now)
    token = tokens.issue(JOB, seconds=10)
    address = urlsplit(tokens.sign_address("http://x", "/a b", {"q": "1"}, seconds=10))
    query = dict(pair.split("=") for pair in address.query.split("&"))

    now = 1009.0
    assert tokens.find(token) == JOB
    assert tokens.check_address("/a b", query, ("q",)) is None
    now = 1010.0
    assert tokens.find(token) == "The token has expired."
    assert tokens.check_address("/a b", query, ("q",)) == "The signed address has expired."


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "..", "é.é.é", "eyJhbGciOiJub25lIn0.e30."],
    ids=["nothing", "a word", "three words", "dots", "no ASCII", "signed by none"],
)
def test_wrong_tokens(token: str) -> None:
    """What was not issued here is refused, whatever it looks like."""
    assert isinstance(Tokens().find(token), str)


def test_a_token_that_was_changed() -> None:
    """A token with other claims than those that were signed is refused."""
    tokens = Tokens()
    head, payload, signature = tokens.issue(JOB).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "==="))
    claims["exp"] += 10_000
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    assert tokens.find(f"{head}.{changed}.{signature}") == "The token is not one of this run's."


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param("{none}.{claims}.", id="no algorithm"),
        pytest.param("{none}.{claims}.{signature}", id="no algorithm, signed"),
        pytest.param("{head}.{claims}.", id="empty signature"),
        pytest.param("{head}.{claims}", id="no signature"),
        pytest.param("{head}.{claims}.{signature:.20}", id="half a signature"),
        pytest.param("{head}..{signature}", id="no claims"),
        pytest.param("{head}.{claims}.{signature}.{signature}", id="four parts"),
    ],
)
def test_tokens_that_are_forged(served: Place, shape: str) -> None:
    """Only the signature that was made here counts, not what a token says of its own."""
    caller = Caller(served.begin())
    head, claims, signature = caller.job.token.split(".")
    none = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"none"}').decode().rstrip("=")
    forged = shape.format(none=none, head=head, claims=claims, signature=signature)

    status, answer = caller.call("ListArtifacts", token=forged)

    assert (status, answer["code"]) == (401, "unauthenticated")


def test_tokens_of_an_earlier_attempt(served: Place) -> None:
    """An attempt that is over cannot do anything in the name of the next one, nor the other way."""
    first, second = served.begin(), served.begin(attempt=2)
    address = Caller(first).create()
    send(address, "PUT", b"first")
    assert Caller(second).finalize(b"first")[0] == 404

    first.close()

    assert Caller(first).call("ListArtifacts")[0] == 401
    assert send(address, "PUT", b"late")[0] == 404
    caller = Caller(second)
    send(caller.create(), "PUT", b"second")
    assert caller.finalize(b"second")[0] == 200
    assert caller.fetch()[2] == b"second"


def test_tokens_of_another_process() -> None:
    """A token of one run is nothing to the services of another."""
    assert Tokens().find(Tokens().issue(JOB)) == "The token is not one of this run's."


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
    ],
)
def test_calls_without_a_token(served: Place, header: dict[str, str]) -> None:
    """A call without a good token is refused before it is read."""
    job = served.begin()

    status, _, answer = send(
        f"{job.origin}/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts",
        "POST",
        "{}",
        **header,
    )

    assert status == 401
    assert json.loads(answer)["code"] == "unauthenticated"


def test_a_foreign_run(served: Place) -> None:
    """A job cannot name another run than its own, whose token is as good as its own."""
    own, other = served.begin(run="1"), served.begin(run="2")

    status, answer = Caller(own).call("ListArtifacts", workflow_run_backend_id=other.job.run_id)

    assert (status, answer["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    "change",
    [
        lambda address: address.replace("/content?", "/content?x=1&").replace("se=", "se=9"),
        lambda address: address.partition("sig=")[0] + "sig=AAAA",
        lambda address: address.partition("?")[0],
        lambda address: address.replace("/contents/uploads/", "/contents/uploads/0"),
        lambda address: address.replace("/contents/uploads/", "/contents/blobs/"),
    ],
    ids=["later end", "another signature", "no signature", "another upload", "another kind"],
)
def test_addresses_that_were_changed(served: Place, change: Any) -> None:
    """An address is good as it was signed, and in no other form."""
    address = Caller(served.begin()).create()

    status, headers, _ = send(change(address), "PUT", b"x")

    assert (status, headers["x-ms-error-code"]) == (403, "AuthenticationFailed")


def test_a_download_under_another_name(served: Place) -> None:
    """What a download is to be saved as is part of the signature."""
    job = Caller(served.begin())
    address = job.create()
    put_block(address, 0, b"x")
    put_list(address, 0)
    job.finalize(b"x")
    _, answer = job.call("GetSignedArtifactURL", name="mine")

    assert send(answer["signed_url"])[0] == 200
    assert send(answer["signed_url"].replace("mine.zip", "evil.sh"))[0] == 403


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("../up", "'/'"),
        ("half \ud800", "no Unicode text"),
        ("/etc/passwd", "'/'"),
        ("a\\b", "'\\\\'"),
        ('a"b', "'\"'"),
        ("a\nb", "'\\n'"),
        ("a\0b", "'\\x00'"),
        ("..", "cannot be called '..'"),
        (".", "cannot be called '.'"),
        ("", "cannot be called ''"),
        ("  ", "cannot be called '  '"),
        ("x" * 256, "256 bytes"),
        ("ü" * 128, "256 bytes"),
    ],
)
def test_names_that_no_folder_can_have(served: Place, name: str, part: str) -> None:
    """An artifact's name is one of a folder: everything else is refused, and nothing is made."""
    status, answer = Caller(served.begin()).call("CreateArtifact", name=name)

    assert status == 400
    assert part in answer["msg"]


@pytest.mark.parametrize(
    "name", ["x" * 255, "ü" * 127, "a b", "...", "-rf", "ünï%2f&?".replace("?", "")]
)
def test_names_that_are_odd(served: Place, name: str) -> None:
    """Any name that a folder can have is one."""
    job = Caller(served.begin())
    send(job.create(name), "PUT", b"x")
    job.finalize(b"x", name)

    assert job.names() == [name]
    assert job.fetch(name)[2] == b"x"


@pytest.mark.parametrize(
    ("procedure", "fields", "status"),
    [
        ("CreateArtifact", {"name": 7}, 400),
        ("CreateArtifact", {}, 400),
        ("CreateArtifact", {"name": "n", "expires_at": "soon"}, 400),
        ("CreateArtifact", {"name": "n", "expires_at": "2001-01-01T00:00:00Z"}, 400),
        ("FinalizeArtifact", {"name": "n", "size": "many"}, 404),
        ("ListArtifacts", {"id_filter": "x"}, 400),
        ("GetSignedArtifactURL", {"name": "none"}, 404),
        ("DeleteArtifact", {"name": "none"}, 404),
        ("MigrateArtifact", {}, 404),
    ],
)
def test_calls_that_make_no_sense(
    served: Place, procedure: str, fields: dict[str, Any], status: int
) -> None:
    """A call that cannot be understood is refused with a sentence, as a fault of its caller."""
    got, answer = Caller(served.begin()).call(procedure, **fields)

    assert got == status
    assert answer["msg"]


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff", "[" * 100_000])
def test_calls_that_are_no_objects(served: Place, text: str) -> None:
    """A call whose content is no object in JSON is refused."""
    job = served.begin()

    status, _, _ = send(
        f"{job.origin}/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts",
        "POST",
        text.encode("latin-1"),
        Authorization=f"Bearer {job.token}",
    )

    assert status in (400, 403)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -1",
        b"Content-Length: 1e3",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
    ],
)
def test_requests_that_do_not_say_how_long_they_are(served: Place, head: bytes) -> None:
    """A request whose end is in doubt is refused, and its connection ends (RFC 9112, 6.3)."""
    parts = urlsplit(served.begin().origin)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(
            b"PUT /contents/uploads/x HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\nabc"
        )
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in answer


def test_nothing_listens_but_on_this_machine(served: Place) -> None:
    """The services are on the loopback address alone, until they are told to listen elsewhere."""
    port = urlsplit(served.begin().origin).port

    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.2", port))


def test_another_address() -> None:
    """Told to, the server listens on another address too, with the same routes and tokens."""
    server = Server()
    server.routes("/who", lambda request: Response.json({"job": request.known_job.key}))
    token = server.tokens.issue(JOB)
    try:
        origins = [server.listen(), server.listen("127.0.0.2"), server.listen("127.0.0.2")]

        answers = [send(f"{it}/who", Authorization=f"Bearer {token}")[2] for it in origins]
    finally:
        server.close()

    assert origins[1] == origins[2] != origins[0]
    assert answers == [b'{"job": "build"}'] * 3
    with pytest.raises(ConnectionRefusedError):
        send(f"{origins[0]}/who")


def test_a_fault_of_ours_is_an_answer(tmp_path: Path) -> None:
    """A handler that breaks is answered for, and told of without what was asked."""
    told: list[str] = []
    server = Server(told.append)
    server.routes("/break", lambda _request: Response.json({}["none"]), needs_token=False)
    try:
        status, _, answer = send(f"{server.listen()}/break?sig=secret")
    finally:
        server.close()

    assert (status, json.loads(answer)["code"]) == (500, "internal")
    assert told == ["GET /break: KeyError: 'none'"]
