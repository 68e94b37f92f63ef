"""Contents that jobs send and fetch under signed addresses, the way Azure's block blobs are.

    PUT …?comp=block&blockid=ID     one block, in any order, several at once
    PUT …?comp=blocklist            the list of blocks that make the content, in XML
    PUT …                           all of it at once
    GET …                           the content, or a range of it

That much of https://learn.microsoft.com/rest/api/storageservices/put-block and its neighbours is
what npm's @actions/artifact and @actions/cache use. Whoever offers an upload keeps or discards it
(`windlass.stores.blobs.Upload`) when its client says that it is complete.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from windlass.services.messages import Request, RequestError, Response, Stream
from windlass.stores.blob_parts import DamagedBlobError
from windlass.stores.uploads import LONGEST_NAME, MissingBlockError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.services.jobs import ServedJob
    from windlass.services.owners import Owners
    from windlass.services.server import Server
    from windlass.services.tokens import Tokens
    from windlass.stores.blobs import BlobStore
    from windlass.stores.uploads import Upload

PREFIX: Final = "/contents/"
UPLOADS: Final = f"{PREFIX}uploads/"
BLOBS: Final = f"{PREFIX}blobs/"
_TAIL: Final = "/content"
"""Azure's client takes the parts of a path for account, container and blob."""

LARGEST_LIST: Final = 16 << 20
"""Room for the 50,000 blocks that Azure allows."""

MOST_BLOCKS: Final = 50_000
_OWNER: Final = "owner"
_TURN: Final = "turn"
"""What the address of an upload has that the next one under its names has not."""

ALL_AT_ONCE: Final = ""
"""The name of the only block of a content that came in one piece."""

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_CODES: Final = {
    400: "InvalidInput",
    403: "AuthenticationFailed",
    404: "BlobNotFound",
    405: "UnsupportedHttpVerb",
    413: "RequestBodyTooLarge",
    416: "InvalidRange",
}


class Contents:
    """The uploads that are under way, and the blobs that may be fetched."""

    def __init__(self, store: BlobStore, tokens: Tokens, owners: Owners) -> None:
        self.owners = owners
        self._store = store
        self._tokens = tokens

    def offer_upload(
        self, origin: str, job: ServedJob, names: Sequence[str], facts: Mapping[str, Any]
    ) -> str | None:
        """Begin an upload and return the address to which its content is to be sent.

        It has names by which `find_upload` finds it, from another process too, and facts that are
        values of JSON. What the job was sending under these names is thrown away; None where
        another job sends something.

        Raises:
            PlatformError: the disk refuses.
        """
        name, owner = self._tokens.name(*names), self.owners.name(job)
        turn = os.urandom(8).hex()
        while True:
            try:
                self._store.begin_upload(name, {**facts, _OWNER: owner, _TURN: turn})
            except FileExistsError:
                earlier = self._store.find_upload(name)
                if earlier is None:
                    continue
                holder = str(earlier.about[_OWNER])
                if holder != owner and self.owners.is_alive(holder):
                    return None
                self._store.end_upload(earlier)
            else:
                return self._tokens.sign_address(origin, f"{UPLOADS}{name}-{turn}{_TAIL}")

    def find_upload(self, job: ServedJob, names: Sequence[str]) -> Upload | None:
        """Return what a job sends under some names; None where it sends nothing.

        Raises:
            PlatformError: the disk refuses.
        """
        upload = self._store.find_upload(self._tokens.name(*names))
        if upload is None or upload.about[_OWNER] != self.owners.name(job):
            return None
        return upload

    def end_upload(self, upload: Upload) -> None:
        """Take nothing more for an upload, which is thrown away unless it was kept."""
        self._store.end_upload(upload)

    def give_up(self, job: ServedJob) -> None:
        """Throw away what a job that has ended was sending.

        Raises:
            PlatformError: the disk refuses.
        """
        owner = self.owners.name(job)
        for upload in self._store.list_uploads():
            if upload.about[_OWNER] == owner:
                self._store.end_upload(upload)

    def sweep(self) -> None:
        """Throw away what jobs were sending that nobody will hear of any more.

        Raises:
            PlatformError: the disk or the index of jobs cannot be read.
        """
        for upload in self._store.list_uploads():
            if not self.owners.is_alive(str(upload.about[_OWNER])):
                self._store.end_upload(upload)

    def sign_download(self, origin: str, digest: str, *, name: str, mime_type: str) -> str:
        """Return the address of a blob, which is to be saved under a name."""
        query = {"rscd": describe_attachment(name), "rsct": mime_type}
        return self._tokens.sign_address(origin, f"{BLOBS}{digest}{_TAIL}", query)

    def handle(self, request: Request) -> Response:
        """Answer a request; refusals are in XML, as Azure's client expects them."""
        try:
            if request.path.startswith(UPLOADS):
                return self._receive(request)
            return self._send(request)
        except RequestError as error:
            return _refuse(error)

    def _receive(self, request: Request) -> Response:
        self._check(request, ())
        name, _, turn = request.path.removeprefix(UPLOADS).removesuffix(_TAIL).partition("-")
        upload = self._store.find_upload(name)
        if upload is None or upload.about[_TURN] != turn:
            raise RequestError(404, "This upload is not there: it is complete, or it was given up.")
        if request.method != "PUT":
            raise RequestError(405, "An upload takes PUT alone.")
        match request.query.get("comp"):
            case "block":
                block = request.query.get("blockid") or ""
                if not block:
                    raise RequestError(400, "The block has no name (blockid).")
                if len(block.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
                    raise RequestError(400, f"A block's name has at most {LONGEST_NAME} bytes.")
                _put_block(upload, block, request)
            case "blocklist":
                _arrange(upload, read_block_list(request.read(LARGEST_LIST)))
            case None:
                _check_kind(request)
                _put_block(upload, ALL_AT_ONCE, request)
                _arrange(upload, [ALL_AT_ONCE])
            case other:
                raise RequestError(400, f"Windlass knows no comp={other}.")
        version = request.headers.get("x-ms-version", "2020-10-02")
        # Azure's client for Go, by which BuildKit sends layers, fails without an id.
        return Response(201, {"x-ms-version": version, "x-ms-request-id": os.urandom(16).hex()})

    def _send(self, request: Request) -> Response:
        self._check(request, ("rscd", "rsct"))
        if request.method not in ("GET", "HEAD"):
            raise RequestError(405, "A stored content can be fetched, and nothing else.")
        digest = request.path.removeprefix(BLOBS).removesuffix(_TAIL)
        try:
            size = self._store.check(digest)
        except DamagedBlobError as error:
            raise RequestError(404, f"{error.message}. {error.hint}") from error
        headers = {
            "Content-Type": request.query["rsct"],
            "Content-Disposition": request.query["rscd"],
            "Accept-Ranges": "bytes",
            "ETag": f'"{digest}"',
            "x-ms-blob-type": "BlockBlob",
        }
        start, stop = _find_range(request, size)
        if (start, stop) == (0, size):
            return Response(200, headers, Stream(size, self._store.read(digest)))
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return Response(206, headers, Stream(stop - start, self._store.read(digest, start, stop)))

    def _check(self, request: Request, names: tuple[str, ...]) -> None:
        problem = self._tokens.check_address(request.path, request.query, names)
        if problem is not None:
            raise RequestError(403, problem)


def add_routes(server: Server, contents: Contents) -> None:
    """Let a server take and give contents; their addresses are signed and need no token."""
    server.routes(PREFIX, contents.handle, needs_token=False)


def describe_attachment(name: str) -> str:
    """Return the `Content-Disposition` of a file (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    full = quote(name, safe="", errors="surrogatepass")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"


def read_block_list(text: bytes) -> list[str]:
    """Return the names of blocks in the order of a list.

    Raises:
        RequestError: it is no such list.
    """
    # Imported only where there is one: it is not free.
    from xml.etree import ElementTree as Xml

    try:
        root = Xml.fromstring(text)  # noqa: S314 - expat bounds what entities grow to
    except Xml.ParseError as error:
        raise RequestError(400, f"The list of blocks is no XML: {error}.") from error
    kinds = {"Latest", "Uncommitted", "Committed"}
    if root.tag != "BlockList" or any(it.tag not in kinds or not it.text for it in root):
        raise RequestError(400, "The list of blocks names something else than blocks.")
    if len(root) > MOST_BLOCKS:
        raise RequestError(400, f"The list names more than {MOST_BLOCKS} blocks.")
    return [it.text.strip() for it in root if it.text]


def _put_block(upload: Upload, name: str, request: Request) -> None:
    upload.put_block(name, request.body.readinto)


def _arrange(upload: Upload, names: list[str]) -> None:
    try:
        upload.arrange(names)
    except MissingBlockError as error:
        raise RequestError(
            400, f"The list names the block {error.block}, which was never sent."
        ) from error


def _check_kind(request: Request) -> None:
    kind = request.headers.get("x-ms-blob-type", "BlockBlob")
    if kind != "BlockBlob":
        raise RequestError(400, f"Windlass takes block blobs, and no {kind}.")


def _find_range(request: Request, size: int) -> tuple[int, int]:
    """Return from where to where a content is asked for; of several ranges, all of it.

    Raises:
        RequestError: it has no such bytes.
    """
    asked = request.headers.get("x-ms-range") or request.headers.get("range", "")
    match = _RANGE.fullmatch(asked.strip())
    if match is None or not (match[1] or match[2]):
        return 0, size
    if not match[1]:
        start, stop = max(size - int(match[2]), 0), size
    else:
        start, stop = int(match[1]), min(int(match[2] or size) + 1, size)
    if start >= stop:
        raise RequestError(416, f"The content has {size} bytes, and none from {start} on.")
    return start, stop


def _refuse(error: RequestError) -> Response:
    code = _CODES.get(error.status, "InternalError")
    # Imported only where something is refused.
    import html

    text = html.escape(error.message.encode("utf-8", "replace").decode())
    body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    headers = {"Content-Type": "application/xml", "x-ms-error-code": code}
    return Response(error.status, headers, body.encode())
