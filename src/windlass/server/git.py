"""The repositories of a server over Git's smart HTTP, to be read by those who run jobs of them.

    GET  /git/ID.git/info/refs?service=git-upload-pack
    POST /git/ID.git/git-upload-pack

What answers is `git upload-pack` itself, on the mirror that the server keeps. Whoever asks shows a
job's token, while that job runs, or the credential of a runner that runs a job of that repository:
as a bearer's, or as the password of anybody, which is what Git can be made to send.

Source: https://git-scm.com/docs/gitprotocol-http
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import os
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from windlass.errors import InvalidError, MissingError, PlatformError, StrangerError
from windlass.operations.hosted.reading import require_reader
from windlass.server.guard import read_bearer
from windlass.server.problems import problem_of
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site

MOST_REQUEST_BYTES: Final = 32 << 20
"""What a request may have once it is unpacked: a line for each commit that is wanted or there."""

MIRRORS: Final = "mirrors"
_SERVICE: Final = "git-upload-pack"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROTOCOL: Final = re.compile(r"version=[0-9]")
_PIECE_BYTES: Final = 1 << 16
_GZIP: Final = 16 + zlib.MAX_WBITS
_NOT_KEPT: Final = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
_log = logging.getLogger(__name__)
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="windlass", charset="UTF-8"'}


def routes(site: Site) -> list[BaseRoute]:
    """Return the routes of this room."""
    door = _Door(site)
    return [
        Route("/git/{repository}.git/info/refs", door.advertise, methods=["GET"]),
        Route(f"/git/{{repository}}.git/{_SERVICE}", door.upload, methods=["POST"]),
    ]


class _Door:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def advertise(self, request: Request) -> Response:
        """Say what a repository can do, and which refs it has."""
        if request.query_params.get("service") != _SERVICE:
            return problem_of("refused", "the repositories here can be read by Git, nothing else")
        try:
            mirror = await run_in_thread(self._find, request)
        except StrangerError as error:
            return _refuse(error)
        process = await _start(request, mirror, "--advertise-refs")
        return StreamingResponse(
            _answer(process, b"", _write_packet(f"# service={_SERVICE}\n") + b"0000"),
            media_type=f"application/x-{_SERVICE}-advertisement",
            headers=_NOT_KEPT,
        )

    async def upload(self, request: Request) -> Response:
        """Send the commits that are wanted."""
        try:
            mirror = await run_in_thread(self._find, request)
        except StrangerError as error:
            return _refuse(error)
        question = await _read_question(request)
        process = await _start(request, mirror)
        return StreamingResponse(
            _answer(process, question),
            media_type=f"application/x-{_SERVICE}-result",
            headers=_NOT_KEPT,
        )

    def _find(self, request: Request) -> Path:
        """Return the mirror that is asked for, where whoever asks may read it."""
        repository = request.path_params["repository"]
        require_reader(self._site, repository, _read_credential(request))
        if not _ID.fullmatch(repository):
            raise MissingError("there is no such repository")
        mirror = self._site.data / MIRRORS / f"{repository}.git"
        if not mirror.is_dir():
            raise MissingError("the server has no copy of that repository")
        return mirror


def _read_credential(request: Request) -> str:
    if bearer := read_bearer(request.scope):
        return bearer
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text.partition(":")[2]


async def _read_question(request: Request) -> bytes:
    """Return the body of a request, which Git sends packed where it is long."""
    packed = request.headers.get("content-encoding", "identity").lower()
    if packed not in ("identity", "gzip", "x-gzip"):
        raise InvalidError(f"a body that is packed by '{packed}' cannot be read")
    opener = None if packed == "identity" else zlib.decompressobj(_GZIP)
    found = b""
    async for piece in request.stream():
        try:
            room = MOST_REQUEST_BYTES - len(found) + 1
            found += piece if opener is None else opener.decompress(piece, room)
        except zlib.error as error:
            raise InvalidError("the body is not what its Content-Encoding says") from error
        if len(found) > MOST_REQUEST_BYTES:
            raise InvalidError(f"a request has up to {MOST_REQUEST_BYTES} bytes")
    return found


async def _start(request: Request, mirror: Path, *options: str) -> asyncio.subprocess.Process:
    """Start `git upload-pack` where nothing but the mirror's own settings counts."""
    protocol = request.headers.get("git-protocol", "")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C",
        **({"GIT_PROTOCOL": protocol} if _PROTOCOL.fullmatch(protocol) else {}),
    }
    settings = ("safe.directory=*", "uploadpack.allowAnySHA1InWant=true")
    words = [word for it in settings for word in ("-c", it)]
    try:
        return await asyncio.create_subprocess_exec(
            *("git", *words, "upload-pack", "--strict", "--stateless-rpc", *options, str(mirror)),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise PlatformError(f"git cannot be started: {error.strerror}") from error


async def _answer(
    process: asyncio.subprocess.Process, question: bytes, beginning: bytes = b""
) -> AsyncIterator[bytes]:
    """Yield what a process answers; it ends with whoever listens."""
    assert process.stdin is not None  # noqa: S101 (both are pipes)
    assert process.stdout is not None  # noqa: S101
    asking = asyncio.create_task(_ask(process.stdin, question))
    try:
        if beginning:
            yield beginning
        while piece := await process.stdout.read(_PIECE_BYTES):
            yield piece
        if (status := await process.wait()) != 0:
            # Whoever asked has been told, or finds that what came is not whole.
            _log.warning("git upload-pack has ended with %d", status)
    finally:
        asking.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())


async def _ask(way: asyncio.StreamWriter, question: bytes) -> None:
    with suppress(ConnectionError):
        way.write(question)
        await way.drain()
        way.close()


def _write_packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


def _refuse(error: StrangerError) -> Response:
    return problem_of(error.code, error.message, hint=error.hint, headers=_CHALLENGE)
