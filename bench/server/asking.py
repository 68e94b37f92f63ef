"""The generator of load: asks at a steady rate, whether the answers come or not (an open loop).

    asking.py < plan.json

A plan is an object: `host`, `port`, `rate` (requests a second), `seconds`, `warm_seconds` that do
not count, and `requests`, each `method`, `target`, `headers` and `body`, asked in turn. What is
printed is an object too: `milliseconds` of each answer and `statuses`, how many there were of each.

Each request has a moment at which it is due, and its time is counted from there: what waits because
an earlier answer is late is late itself. It is one process of its own with 32 connections that are
kept open, of asyncio and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

CONNECTIONS = 32


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


class Generator:
    """Asks as a plan says."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._heads = [_write(it, plan) for it in plan["requests"]]
        self.milliseconds: list[float] = []
        self.statuses: Counter[int] = Counter()
        self._counted_from = 0.0

    async def run(self) -> None:
        """Ask until the time is over and all have been answered."""
        plan = self._plan
        workers = [asyncio.create_task(self._work()) for _ in range(CONNECTIONS)]
        begin = time.perf_counter() + 0.2
        self._counted_from = begin + plan["warm_seconds"]
        for number in range(int(plan["rate"] * (plan["warm_seconds"] + plan["seconds"]))):
            moment = begin + number / plan["rate"]
            await asyncio.sleep(max(moment - time.perf_counter(), 0))
            self._due.put_nowait((moment, self._heads[number % len(self._heads)]))
        for _ in workers:
            self._due.put_nowait(None)
        await asyncio.gather(*workers)

    async def _work(self) -> None:
        reader, writer = await asyncio.open_connection(self._plan["host"], self._plan["port"])
        while (due := await self._due.get()) is not None:
            moment, request = due
            if writer.is_closing() or reader.at_eof():
                reader, writer = await asyncio.open_connection(
                    self._plan["host"], self._plan["port"]
                )
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            if moment >= self._counted_from:
                self.milliseconds.append((time.perf_counter() - moment) * 1000)
                self.statuses[int(head.split(b" ", 2)[1])] += 1
        writer.close()


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
    asyncio.run(generator.run())
    told = {"milliseconds": generator.milliseconds, "statuses": generator.statuses}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
