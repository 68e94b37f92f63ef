"""Identity tokens as GitHub's own client asks for them, verified by a JOSE library from npm."""

from __future__ import annotations

import base64
import json
import stat
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from tests import npm

from windlass.errors import PlatformError
from windlass.services.identity import keys
from windlass.services.identity.keys import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.services.serving import Place

PACKAGES = ("@actions/core@3.0.1", "jose@6.1.0")

ASK = """
const {getIDToken} = await import('@actions/core');
tell(await getIDToken(process.env.AUDIENCE || undefined));
"""
VERIFY = """
const {createRemoteJWKSet, jwtVerify} = await import('jose');
const found = await fetch(process.env.ISSUER + '/.well-known/openid-configuration');
const {issuer, jwks_uri, claims_supported} = await found.json();
const keys = createRemoteJWKSet(new URL(jwks_uri));
try {
  const options = {issuer, audience: process.env.AUDIENCE, algorithms: ['RS256']};
  const {payload, protectedHeader} = await jwtVerify(process.env.TOKEN, keys, options);
  tell({payload, header: protectedHeader, issuer, claims: claims_supported});
} catch (error) { tell({code: error.code}); }
"""


@pytest.fixture(scope="session")
def home() -> Path:
    return npm.install("identity", *PACKAGES)


def ask(place: Place, home: Path, folder: Path, audience: str = "", **facts: Any) -> str:
    """Return the token that a job with `id-token: write` gets."""
    job = place.begin(permissions={"id-token": "write"}, **facts)
    token = npm.Node(home, folder, job.script_variables).run(ASK, AUDIENCE=audience)
    assert isinstance(token, str)
    return token


def verify(place: Place, home: Path, folder: Path, token: str, audience: str) -> dict[str, Any]:
    """Verify a token as a stranger would, from the issuer's address alone."""
    stranger = folder / "stranger"
    stranger.mkdir()
    found: dict[str, Any] = npm.Node(home, stranger, {}).run(
        VERIFY, TOKEN=token, ISSUER=f"{place.begin().origin}/oidc", AUDIENCE=audience
    )
    return found


def test_token(served: Place, home: Path, tmp_path: Path) -> None:
    """A stranger verifies by discovery and JWKS what a job got for an audience of its choice."""
    token = ask(served, home, tmp_path, "sts.amazonaws.com")
    found = verify(served, home, tmp_path, token, "sts.amazonaws.com")

    assert found["issuer"] == f"{served.begin().origin}/oidc"
    assert found["header"]["alg"] == "RS256"
    assert found["payload"]["sub"] == "repo:octo-org/octo-repo:ref:refs/heads/main"
    assert found["payload"]["run_id"] == "4711"
    assert set(found["payload"]) <= set(found["claims"])


@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        ({"environment": "prod"}, "repo:octo-org/octo-repo:environment:prod"),
        ({"ref": "refs/tags/v1"}, "repo:octo-org/octo-repo:ref:refs/tags/v1"),
        (
            {"event_name": "pull_request", "ref": "refs/pull/7/merge"},
            "repo:octo-org/octo-repo:pull_request",
        ),
    ],
    ids=["environment", "tag", "pull-request"],
)
def test_subject_of_the_job(
    served: Place, home: Path, tmp_path: Path, facts: dict[str, Any], subject: str
) -> None:
    """Without an audience it is the owner's address; the subject is that of the job."""
    token = ask(served, home, tmp_path, **facts)
    found = verify(served, home, tmp_path, token, "https://github.com/octo-org")
    assert found["payload"]["sub"] == subject


def test_audience_of_another(served: Place, home: Path, tmp_path: Path) -> None:
    """A token for one audience is none for another."""
    token = ask(served, home, tmp_path, "sts.amazonaws.com")
    found = verify(served, home, tmp_path, token, "api://AzureADTokenExchange")
    assert found == {"code": "ERR_JWT_CLAIM_VALIDATION_FAILED"}


def test_changed_token(served: Place, home: Path, tmp_path: Path) -> None:
    """A token whose claims were changed is not verified."""
    header, claims, signature = ask(served, home, tmp_path, "a").split(".")
    padded = claims + "=" * (-len(claims) % 4)
    forged = {**json.loads(base64.urlsafe_b64decode(padded)), "repository": "octo-org/other"}
    changed = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    found = verify(served, home, tmp_path, f"{header}.{changed}.{signature}", "a")
    assert found == {"code": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}


@pytest.mark.parametrize("level", ["none", "read"])
def test_without_permission(served: Place, level: str) -> None:
    """A job without `id-token: write` is not told where to ask, and is refused if it does."""
    job = served.begin(permissions={"id-token": level})
    assert not [name for name in job.action_variables if "ID_TOKEN" in name]
    assert get(f"{job.origin}/oidc/token?api-version=2.0", job.token)[0] == 403


def test_client_without_permission(served: Place, home: Path, tmp_path: Path) -> None:
    """GitHub's client says what is missing, and what it is refused with where it is told to ask."""
    job = served.begin(permissions={"contents": "read"})
    asking = """
    const {getIDToken} = await import('@actions/core');
    tell(await getIDToken('me').catch(error => error.message));
    """
    where = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{job.origin}/oidc/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": job.token,
    }

    node = npm.Node(home, tmp_path, job.action_variables)

    assert "Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable" in node.run(asking)
    assert "Error Code : 403" in node.run(asking, **where)


def test_tokens_that_are_refused(served: Place) -> None:
    """Only the token of a job that runs opens the door."""
    job = served.begin(permissions={"id-token": "write"})
    token = job.script_variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    address = f"{job.origin}/oidc/token?audience=a"
    assert get(address, "") == (401, "unauthenticated")
    assert get(address, token[:-4] + "AAAA") == (401, "unauthenticated")
    assert get(f"{address}{'a' * 1024}", token) == (400, "invalid_argument")
    job.close()
    assert get(address, token) == (401, "unauthenticated")


def get(address: str, token: str) -> tuple[int, str]:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        return answer.status, json.loads(answer.read())["code"]


def test_key_is_kept_and_private(tmp_path: Path) -> None:
    """The key is made once, for its owner alone, and is the same for all processes."""
    path = tmp_path / "identity" / "key.pem"
    first = SigningKey(path).public()
    assert first == SigningKey(path).public()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openssl it is said what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlatformError, match="no `openssl` on PATH") as caught:
        SigningKey(tmp_path / "key.pem").sign({})
    assert caught.value.hint == "install it: `apt install openssl`"


def test_broken_key(tmp_path: Path) -> None:
    """A file that is no key is named."""
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(PlatformError, match="`openssl rsa` failed"):
        SigningKey(tmp_path / "key.pem").public()
    assert keys.BITS >= 2048
