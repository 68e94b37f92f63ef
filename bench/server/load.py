"""How long a server takes to answer while others ask, with many runs stored.

    .venv/bin/python bench/server/load.py [RUNS [SECONDS]]

Each database gets 100,000 runs of five repositories, with an attempt, a job and six events each,
written by SQL. Then 300 requests a second read for 20 seconds: a run (four in ten), its jobs (two),
the newest runs (three) and those of one repository (one). Webhooks of pushes that start nothing
come after that, 10 a second; the fetch that each causes is the server's own work beside it. The
generator is `asking.py` of this folder. The floor is the same server around an application that
does nothing, asked in the same way before. What a commit has to wait for is named too: a write of 4
KiB to a file beside the databases that has reached the disk.

Shares of a processor are named beside each figure, of the server, of its database and of the
generator: where they come near what the machine has, the times are those of a queue for processors.

The 95th percentile of reads may be 20 ms, that of webhooks 10 ms. Where the floor alone takes half
of that, the machine is too busy for a verdict, and it is told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from asking import ask, make_request
from hosting import (
    databases,
    describe_machine,
    find_database_processes,
    percentile,
    read_all_processor_seconds,
    read_memory,
    read_processor_seconds,
    serving,
)
from windlass.db.server_database import ServerDatabase
from windlass.model.status import Result
from windlass.protocol import events
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.testing.servers import RunningServer

RUNS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 100_000
SECONDS = float(sys.argv[2]) if sys.argv[2:] else 20.0
WARM_SECONDS = 3.0
READS_A_SECOND = 300.0
WEBHOOKS_A_SECOND = 10.0
MOST_MILLISECONDS_TO_READ = 20.0
MOST_MILLISECONDS_TO_ACCEPT = 10.0
REPOSITORIES = 5
FIRST_CREATED = time.time() - RUNS
"""A second between two runs. Were they old, the server would remove them while it is measured."""
AT_ONCE = 2_000
SHOWN = 2_000
"""So many runs, spread over all, are asked for."""


def main() -> int:
    print(describe_machine())
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(
            f"a write that reaches the disk: {measure_disk(folder):.2f} ms at the 95th percentile"
        )
        print(
            f"{'':22}{'p50 ms':>8}{'p95':>8}{'p99':>8}{'server %':>10}{'database %':>12}"
            f"{'generator %':>13}{'sent late p95':>15}{'MB':>6}"
        )
        floor = measure_floor()
        with databases(folder) as addresses:
            for kind, address in addresses.items():
                is_good &= measure(folder, kind, address, floor)
    return 0 if is_good else 1


def measure(folder: Path, kind: str, address: str, floor: float) -> bool:
    """Measure a server on one database; tell whether it keeps the limits."""
    repository = make_repository(folder / f"pushed-{kind}")
    with serving(folder, address, "--no-runner") as server:
        secret = register(server, repository)
        seconds = fill(address)
        count = int(WEBHOOKS_A_SECOND * (SECONDS + WARM_SECONDS)) + 1
        pushes = [make_push(number, secret) for number in range(count)]
        reads = ask_and_show(f"{kind} reads", server, address, READS_A_SECOND, server.token)
        hooks = ask_and_show(f"{kind} webhooks", server, address, WEBHOOKS_A_SECOND, pushes)
    cost = reads["server"] / READS_A_SECOND * 1000
    print(
        f"{'':22}{RUNS} runs written in {seconds:.0f} s; a read took {cost:.2f} ms of the "
        f"server's processor time; answers: reads {reads['statuses']}, webhooks "
        f"{hooks['statuses']}"
    )
    is_good = set(reads["statuses"]) == {"200"} and set(hooks["statuses"]) == {"202"}
    if not is_good:
        print(f"FAILED: {kind}: not everything was answered well")
    for what, told, most in (
        ("reads", reads, MOST_MILLISECONDS_TO_READ),
        ("webhooks", hooks, MOST_MILLISECONDS_TO_ACCEPT),
    ):
        found = percentile(told["milliseconds"], 0.95)
        if found > most and floor > most / 2:
            print(f"too busy for a verdict: {kind}: {what}: {found:.1f} ms, the floor {floor:.1f}")
        elif found > most:
            print(f"FAILED: {kind}: {what}: {found:.1f} ms at the 95th percentile, not {most:.0f}")
            is_good = False
    return is_good


def ask_and_show(
    name: str, server: RunningServer, address: str, rate: float, asked: str | list[dict[str, Any]]
) -> dict[str, Any]:
    """Ask a server, with a token for what is read or for requests that are given; print a line.

    What was told gets `server` too: the share of a processor that the server took.
    """
    requests = list(list_reads(asked)) if isinstance(asked, str) else asked
    others = find_database_processes(address)
    ours = server.process.pid
    used = [read_processor_seconds(ours), read_all_processor_seconds(others)]
    began = time.perf_counter()
    told = ask(server.url, requests, rate=rate, seconds=SECONDS, warm_seconds=WARM_SECONDS)
    passed = time.perf_counter() - began
    # Each thread of a server keeps connections, and with each a process of PostgreSQL has begun.
    others = find_database_processes(address)
    after = [read_processor_seconds(ours), read_all_processor_seconds(others)]
    shares = [(now - before) / passed for now, before in zip(after, used, strict=True)]
    show(name, told, shares, read_memory(ours)["now"])
    return {**told, "server": shares[0]}


def show(name: str, told: dict[str, Any], shares: list[float], memory: float) -> None:
    """Print a line of the table; `shares` are those of the server and of the database."""
    cells = [f"{percentile(told['milliseconds'], share):.1f}" for share in (0.5, 0.95, 0.99)]
    print(
        f"{name:22}{cells[0]:>8}{cells[1]:>8}{cells[2]:>8}{shares[0] * 100:>10.0f}"
        f"{shares[1] * 100:>12.0f}{told['processor'] * 100:>13.0f}"
        f"{percentile(told['late'], 0.95):>15.1f}{memory:>6.0f}",
        flush=True,
    )


def measure_disk(folder: Path) -> float:
    """The milliseconds that a small write takes to reach the disk, at the 95th percentile."""
    found = []
    with (folder / "floor").open("wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.95)


def measure_floor() -> float:
    """Ask the server around an application that does nothing; return its 95th percentile."""
    process = subprocess.Popen(
        [sys.executable, __file__, "floor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    used, began = read_processor_seconds(process.pid), time.perf_counter()
    told = ask(
        url,
        [make_request("/")],
        rate=READS_A_SECOND,
        seconds=SECONDS,
        warm_seconds=WARM_SECONDS,
    )
    share = (read_processor_seconds(process.pid) - used) / (time.perf_counter() - began)
    show("floor", told, [share, 0.0], read_memory(process.pid)["now"])
    process.terminate()
    process.wait()
    return percentile(told["milliseconds"], 0.95)


def serve_floor() -> None:
    """Serve nothing, in the way of a server."""
    from windlass.server.serving import listen, serve, write_address

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        head = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"{}"})

    with listen("127.0.0.1", 0) as listening:
        print(write_address("127.0.0.1", listening), flush=True)
        serve(app, listening, on_leaving=lambda: None)


def fill(address: str) -> float:
    """Write the runs; return the seconds that took.

    PostgreSQL then tidies up at once what it would tidy up within the next minute, beside the
    measurement: a table that has grown like that at once is no team's.
    """
    started, store = time.perf_counter(), ServerDatabase(address)
    for first in range(0, RUNS, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, RUNS))
        with store.writing() as connection:
            for table, rows in make_rows(numbers).items():
                marks = ", ".join("?" * (table.count(",") + 1))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    if store.kind == "postgresql":
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
    store.close()
    passed = time.perf_counter() - started
    # The kernel would write it to the disk half a minute later, and take the processors for that.
    os.sync()
    return passed


def make_rows(numbers: range) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of some runs, by the table and its columns."""
    created = [FIRST_CREATED + number for number in numbers]
    ids = [name_run(number) for number in numbers]
    lines = [write_event(it, FIRST_CREATED) for it in TOLD]
    return {
        "runs (id, number, workflow, path, event, sha, ref, created, repository, state)": [
            (
                *(run, number, "CI", ".github/workflows/ci.yml", "push", "f" * 40),
                *("refs/heads/main", moment, f"r{number % REPOSITORIES}"),
                "success" if number % 7 else "failure",
            )
            for run, number, moment in zip(ids, numbers, created, strict=True)
        ],
        "attempts (run, attempt, started, finished, result)": [
            (run, 1, moment, moment + 5, "success" if number % 7 else "failure")
            for run, number, moment in zip(ids, numbers, created, strict=True)
        ],
        "jobs (run, attempt, job, number, ticket, labels, state, runner, queued, claimed)": [
            (run, 1, "build", 1, f"0-{run}", '["ubuntu-latest"]', "ended", "r", moment, moment + 1)
            for run, moment in zip(ids, created, strict=True)
        ],
        "announcements (run, attempt, seq, line)": [
            (run, 1, seq, line) for run in ids for seq, line in enumerate(lines)
        ],
    }


TOLD: tuple[events.RunEvent, ...] = (
    events.JobStarted(job="build", name="build", place="sandbox"),
    *(
        event
        for step, seconds in (("checkout", 1.0), ("test", 3.0))
        for event in (
            events.StepStarted(job="build", step=step, name=step),
            events.StepFinished(
                job="build",
                step=step,
                name=step,
                outcome=Result.SUCCESS,
                conclusion=Result.SUCCESS,
                exit_code=0,
                seconds=seconds,
            ),
        )
    ),
    events.JobFinished(job="build", name="build", result=Result.SUCCESS, seconds=4.0),
)
"""What is told of each run's only job."""


def name_run(number: int) -> str:
    """The id of a run, which cannot be told from those of a server."""
    return str(10**12 + number * 7919)


def list_reads(token: str) -> Iterator[dict[str, Any]]:
    """What is read, in turn."""
    for turn in range(SHOWN):
        run = name_run(turn * RUNS // SHOWN)
        jobs = name_run((turn * 7 + 3) % RUNS)
        targets = {
            **dict.fromkeys((0, 3, 5, 8), f"/api/v1/runs/{run}"),
            **dict.fromkeys((1, 6), f"/api/v1/runs/{jobs}/jobs"),
            **dict.fromkeys((2, 4, 7), "/api/v1/runs"),
            9: f"/api/v1/runs?repository=r{turn % REPOSITORIES}",
        }
        yield make_request(targets[turn % 10], token)


def make_repository(folder: Path) -> Path:
    """A repository without workflows."""
    folder.mkdir()
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        [*identity, "commit", "--quiet", "--allow-empty", "--message", "Measure me"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, env={**os.environ})
    return folder


def register(server: RunningServer, repository: Path) -> str:
    """Make a repository known to a server; return the secret of its webhooks."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60) as client:
        settings = {"location": str(repository), "name": "octo/boat", "poll_seconds": 0}
        client.post("/repositories", json=settings).raise_for_status()
        answer = client.post("/repositories/octo/boat/webhook-secret").raise_for_status()
        return str(answer.json()["secret"])


def make_push(number: int, secret: str) -> dict[str, Any]:
    """A webhook of a push of a commit that is not there."""
    sha = hashlib.sha1(str(number).encode()).hexdigest()
    payload = {
        "ref": f"refs/heads/topic-{number}",
        "before": "0" * 40,
        "after": sha,
        "created": True,
        "deleted": False,
        "repository": {"full_name": "octo/boat", "default_branch": "main"},
        "sender": {"login": "octo"},
        "head_commit": {"id": sha, "message": "x" * 2000},
    }
    body = json.dumps(payload)
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return make_request(
        "/hooks/github/octo/boat",
        method="POST",
        body=body,
        Content_Type="application/json",
        X_GitHub_Event="push",
        X_GitHub_Delivery=f"{number:08d}-0000",
        X_Hub_Signature_256=f"sha256={digest}",
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        serve_floor()
    else:
        sys.exit(main())
