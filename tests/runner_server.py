"""A server as runners see it, with faults on demand: it keeps what it was told, and checks it.

It says about the protocol only what `windlass.protocol.runner` does. Events that do not follow on
those before, or bytes that differ from those that were sent before, are noted in `complaints`.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from windlass.protocol.runner import (
    LOG_FILES,
    PREFIX,
    EndRequest,
    EventsAnswer,
    EventsRequest,
    LogAnswer,
    PollAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
    decode_message,
    encode_message,
)
from windlass.stores.log_index import RECORD

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CREDENTIAL = "wlr_the_credential"
TOKEN = "wlg_once"
HOLD_SECONDS = 5.0

CUT = "cut"
LOSE_ANSWER = "lose the answer"
FAIL = "fail"
TWICE = "twice"
FAULTS = (CUT, LOSE_ANSWER, FAIL, TWICE)


@dataclass
class Held:
    """What the server has of one job."""

    events: list[str] = field(default_factory=list)
    files: dict[str, bytearray] = field(
        default_factory=lambda: {name: bytearray() for name in LOG_FILES}
    )
    end: EndRequest | None = None
    cancel: str | None = None
    force: bool = False

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.events]

    def write_to(self, folder: Path) -> Path:
        """Write the log's files to a folder, as the server keeps them."""
        folder.mkdir(parents=True)
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return folder / "log"


class RunnerServer:
    """See the module. `choose_fault` is asked before each request, with its method and path."""

    def __init__(self) -> None:
        self.jobs: dict[str, Held] = {}
        self.assignments: dict[str, Mapping[str, Any]] = {}
        self.choose_fault: Callable[[str, str], str | None] = lambda _method, _path: None
        self.registered: RegisterRequest | None = None
        self.polls: list[PollRequest] = []
        self.gone: set[str] = set()
        self.drain = False
        self.is_revoked = False
        self.is_deaf = False
        """Whether it fails whatever it is asked, as one that is about to be lost."""
        self.requests: list[str] = []
        """The paths that were asked for."""
        self.has_left = False
        self.complaints: list[str] = []
        self.files: Path | None = None
        self.git_token = "wlj_of_the_job"
        self.changed = threading.Condition()

    def assign(self, values: Mapping[str, Any]) -> None:
        with self.changed:
            self.assignments[values["job"]] = values
            self.changed.notify_all()

    def cancel(self, job: str, reason: str, *, force: bool = False) -> None:
        with self.changed:
            self.jobs[job].cancel, self.jobs[job].force = reason, force
            self.changed.notify_all()

    def take_away(self, job: str) -> None:
        with self.changed:
            self.gone.add(job)
            self.changed.notify_all()

    def wait_for(self, holds: Callable[[], bool], seconds: float = 90.0) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, seconds), "it did not happen in time"

    def count_requests(self, job: str) -> int:
        """Return how often something was said of a job."""
        return sum(f"/jobs/{job}/" in it for it in self.requests)

    def wait_for_end(self, job: str) -> Held:
        self.wait_for(lambda: job in self.jobs and self.jobs[job].end is not None)
        return self.jobs[job]

    def answer(self, method: str, url: str, body: bytes) -> tuple[int, str]:
        parts = urlsplit(url)
        words = parts.path.removeprefix(f"{PREFIX}/").split("/")
        match method, words:
            case "POST", ["register"]:
                return self._register(decode_message(RegisterRequest, body))
            case "POST", ["poll"]:
                return 200, encode_message(self._poll(decode_message(PollRequest, body)))
            case "POST", ["leave"]:
                with self.changed:
                    self.has_left = True
                    self.changed.notify_all()
                return 204, ""
            case _, ["jobs", run, attempt, number, *rest]:
                return self._answer_job(
                    f"{run}/{attempt}/{number}", method, rest, parts.query, body
                )
        return 404, "{}"

    def _register(self, request: RegisterRequest) -> tuple[int, str]:
        if request.token != TOKEN:
            return 401, json.dumps({"detail": "the token is not good"})
        self.registered = request
        return 200, encode_message(RegisterAnswer("r1", CREDENTIAL))

    def _poll(self, request: PollRequest) -> PollAnswer:
        deadline = time.monotonic() + HOLD_SECONDS
        with self.changed:
            self.polls.append(request)
            self.changed.notify_all()
            while True:
                if request is not self.polls[-1]:
                    # The runner has given it up, and asks again.
                    return PollAnswer()
                answer = self._say(request)
                left = deadline - time.monotonic()
                is_last = request.draining and not request.running
                if answer != PollAnswer() or is_last or left <= 0:
                    return answer
                self.changed.wait(left)

    def _say(self, request: PollRequest) -> PollAnswer:
        due = [
            it
            for name, it in self.assignments.items()
            if name not in request.running and name not in self.gone and not self._has_ended(name)
        ]
        lost = [it for it in due if it["job"] in self.jobs]
        taken = [*lost, *(it for it in due if it not in lost)][: max(len(lost), request.free)]
        for values in taken:
            self.jobs.setdefault(values["job"], Held())
        from windlass.protocol.runner import CancelNotice

        return PollAnswer(
            assignments=tuple(taken),
            cancel=tuple(
                CancelNotice(name, held.cancel, held.force)
                for name, held in self.jobs.items()
                if held.cancel is not None and name in request.running
            ),
            gone=tuple(name for name in request.running if name in self.gone),
            drain=self.drain,
        )

    def _has_ended(self, name: str) -> bool:
        return name in self.jobs and self.jobs[name].end is not None

    def _answer_job(
        self, name: str, method: str, rest: list[str], query: str, body: bytes
    ) -> tuple[int, str]:
        with self.changed:
            if name in self.gone:
                return 410, json.dumps({"detail": "the job is another's"})
            held = self.jobs.setdefault(name, Held())
            match method, rest:
                case "POST", ["events"]:
                    answer = self._take_events(held, decode_message(EventsRequest, body))
                case "PUT", ["log", file]:
                    answer = self._take_bytes(held, file, int(parse_qs(query)["offset"][0]), body)
                case "POST", ["end"]:
                    answer = self._take_end(held, decode_message(EndRequest, body))
                case _:
                    answer = 404, "{}"
            self.changed.notify_all()
            return answer

    def _take_events(self, held: Held, request: EventsRequest) -> tuple[int, str]:
        if request.first > len(held.events):
            return 409, json.dumps({"received": len(held.events)})
        known = held.events[request.first :]
        if known != list(request.lines[: len(known)]):
            self.complaints.append(f"other events than before from {request.first} on")
        held.events += request.lines[len(known) :]
        return 200, encode_message(EventsAnswer(len(held.events), held.cancel, held.force))

    def _take_bytes(self, held: Held, name: str, offset: int, body: bytes) -> tuple[int, str]:
        file = held.files[name]
        if offset > len(file):
            return 409, json.dumps({"size": len(file)})
        known = file[offset : offset + len(body)]
        if known != body[: len(known)]:
            self.complaints.append(f"other bytes than before at {offset} of {name}")
        file[offset : offset + len(body)] = body
        self._check_order(held)
        return 200, encode_message(LogAnswer(len(file)))

    def _check_order(self, held: Held) -> None:
        """No record may speak of what is not there."""
        index = held.files["log.index"]
        count = len(index) // RECORD.size
        if count:
            record = RECORD.unpack_from(index, (count - 1) * RECORD.size)
            if record[0] > len(held.files["log"]):
                self.complaints.append("a record was there before its bytes")
            if record[4] >= held.files["log.steps"].count(b"\n"):
                self.complaints.append("a record was there before its step")

    def _take_end(self, held: Held, request: EndRequest) -> tuple[int, str]:
        if request.received != len(held.events):
            return 409, json.dumps({"received": len(held.events)})
        held.end = request
        return 204, ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Http

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        """Give out a file of a repository, to whoever shows a job's token."""
        played, path = self.server.played, self.path.partition("?")[0]
        file = played.files / path.removeprefix("/git/") if played.files else None
        is_known = self.headers.get("Authorization") == f"Bearer {played.git_token}"
        if file is None or not path.startswith("/git/") or not is_known or not file.is_file():
            self._answer(404, "")
        else:
            self._answer(200, file.read_bytes())

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""

    def _serve(self) -> None:
        played = self.server.played
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = played.choose_fault(self.command, self.path)
        if fault == CUT:
            self._cut()
            return
        with played.changed:
            played.requests.append(self.path)
            played.changed.notify_all()
        if fault == FAIL or played.is_deaf:
            self._answer(500, json.dumps({"detail": "as the test wants it"}))
            return
        is_known = self.headers.get("Authorization") == f"Bearer {CREDENTIAL}"
        if not self.path.endswith("/register") and (played.is_revoked or not is_known):
            self._answer(401, json.dumps({"detail": "who are you?"}))
            return
        status, text = played.answer(self.command, self.path, body)
        if fault == TWICE and not self.path.endswith("/poll"):
            status, text = played.answer(self.command, self.path, body)
        if fault == LOSE_ANSWER:
            self._cut()
        else:
            self._answer(status, text)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, played: RunnerServer) -> None:
        self.played = played
        self.links: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.links.add(request)
        super().process_request(request, client_address)

    def cut_all(self) -> None:
        for link in self.links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the test, or the runner, has cut."""


@contextmanager
def served(
    played: RunnerServer, port: int = 0, *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve on a port; yield the URL. At the end all connections are cut."""
    http = _Http(port, played)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        http.cut_all()
