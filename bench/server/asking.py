"""The generator of load: asks at a steady rate, whether the answers come or not (an open loop).

    asking.py < plan.json

A plan is an object: `host`, `port`, `rate` (requests a second), `seconds`, `warm_seconds` that do
not count, and `requests`, each `method`, `target`, `headers` and `body`, asked in turn. What is
printed is an object too: `milliseconds` of each answer, `late` (by how many milliseconds each
request was sent after it was due), `statuses`, how many there were of each, and `processor`, the
share of one that asking took.

Each request has a moment at which it is due, and its time is counted from there: what waits because
an earlier answer is late, or because the generator had no processor, is late itself. It is a
process of its own, one thread that waits for up to 32 connections with `epoll` and parses no more
of an answer than its status and its length, since it shares the processors with the server.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

CONNECTIONS = 32
PATIENCE_SECONDS = 60.0
"""So long the last answers are waited for."""


def ask(url: str, requests: list[dict[str, Any]], **plan: float) -> dict[str, Any]:
    """Let a process of its own ask a server at an address; see the module."""
    host, _, port = url.removeprefix("http://").partition(":")
    given = {"host": host, "port": int(port), "requests": requests, **plan}
    done = subprocess.run(
        [sys.executable, str(Path(__file__))],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def make_request(target: str, token: str = "", **more: str) -> dict[str, Any]:
    """One request of a plan: it reads, unless a `method` is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method, body = more.pop("method", "GET"), more.pop("body", "")
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"method": method, "target": target, "headers": {**headers, **named}, "body": body}


class Connection:
    """One connection that is kept open, and the answer that comes on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.due = 0.0
        self._open()

    def _open(self) -> None:
        self.socket = socket.create_connection(self._address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self.socket.fileno()
        self._received = b""
        self._length = -1

    def send(self, request: bytes, due: float) -> None:
        """Send a request; it is short enough for the kernel to take at once."""
        self.due = due
        self._received, self._length = b"", -1
        self.socket.sendall(request)

    def take(self) -> int:
        """Take what has come; return the status when the answer is whole, 0 until then."""
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionResetError("the server has hung up")
        self._received += piece
        if self._length < 0:
            head, end, _ = self._received.partition(b"\r\n\r\n")
            if not end:
                return 0
            size = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self._length = len(head) + len(end) + int(size)
        return int(self._received[9:12]) if len(self._received) >= self._length else 0


class Generator:
    """Asks as a plan says."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._rate = plan["rate"]
        self._warm = plan["warm_seconds"]
        self._count = int(plan["rate"] * (plan["warm_seconds"] + plan["seconds"]))
        self._requests = [_write(it, plan) for it in plan["requests"]]
        connections = [Connection((plan["host"], plan["port"])) for _ in range(CONNECTIONS)]
        self._by_number = {it.number: it for it in connections}
        self._idle = deque(connections)
        self._epoll = select.epoll(CONNECTIONS)
        for it in connections:
            self._epoll.register(it.number, select.EPOLLIN)
        self.milliseconds: list[float] = []
        self.late: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.processor = 0.0

    def run(self) -> None:
        """Ask until the time is over and all have been answered."""
        used, began = time.process_time(), time.perf_counter()
        begin = began + 0.1
        sent = answered = 0
        while answered < self._count:
            now = time.perf_counter()
            while self._idle and sent < self._count and begin + sent / self._rate <= now:
                self._send(begin + sent / self._rate, sent, is_counted=self._counts(sent))
                sent += 1
            if sent < self._count and self._idle:
                pause = begin + sent / self._rate - time.perf_counter()
            else:
                pause = PATIENCE_SECONDS
            # By `select`, since `epoll` counts in milliseconds.
            found, _, _ = select.select([self._epoll], [], [], max(pause, 0.0))
            if not found and pause == PATIENCE_SECONDS:
                sys.exit(f"{sent - answered} requests were not answered")
            for number, _ in self._epoll.poll(0):
                answered += self._take(self._by_number[number], begin)
        self.processor = (time.process_time() - used) / (time.perf_counter() - began)

    def _counts(self, number: int) -> bool:
        return number >= self._rate * self._warm

    def _send(self, due: float, number: int, *, is_counted: bool) -> None:
        connection = self._idle.popleft()
        connection.send(self._requests[number % len(self._requests)], due)
        if is_counted:
            self.late.append((time.perf_counter() - due) * 1000)

    def _take(self, connection: Connection, begin: float) -> int:
        status = connection.take()
        if not status:
            return 0
        if connection.due >= begin + self._warm:
            self.milliseconds.append((time.perf_counter() - connection.due) * 1000)
            self.statuses[status] += 1
        self._idle.append(connection)
        return 1


def _write(request: dict[str, Any], plan: dict[str, Any]) -> bytes:
    body = request["body"].encode()
    headers = {"Host": f"{plan['host']}:{plan['port']}", **request["headers"]}
    if body:
        headers["Content-Length"] = str(len(body))
    lines = [f"{request['method']} {request['target']} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def main() -> None:
    generator = Generator(json.load(sys.stdin))
    generator.run()
    told = {
        "milliseconds": generator.milliseconds,
        "late": generator.late,
        "statuses": generator.statuses,
        "processor": generator.processor,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
