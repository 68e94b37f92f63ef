"""How long it takes from a push until its first step runs, and for a chain of ten jobs of one step.

    .venv/bin/python bench/server/latency.py [--stages] [PUSHES]

`windlass up` with its own runner, whose jobs run in sandboxes, knows a repository of 5,000 files by
its path. Each push is a commit of one file, made before, and the signed webhook that tells of it:
the clock starts when that is sent, and ends when the step says in the run's events that it starts.
So there is everything in it: the webhook, the fetch by the server, reading the workflow, the queue,
the runner's own fetch, a sandbox, a checkout. The step is the one behind
the checkout, and the runner has nothing else to do. The chain is timed
from its webhook to the end of its run. The floor is what Git alone takes to fetch such a commit
into a mirror twice, as server and runner do.

From push to step may take 0.5 s at the 95th percentile, the chain 2 s. With `--stages` there is a
table of where the time of the pushes went, and what processes have used.
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

from hosting import databases, describe_machine, percentile, serving
from stages import Processors, describe_stages, read_stages
from windlass.db.announcements import read_announcements
from windlass.db.server_database import ServerDatabase
from windlass.protocol import events
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.testing.servers import RunningServer

PUSHES = next((int(it) for it in sys.argv[1:] if it.isdigit()), 20)
SHOWS_STAGES = "--stages" in sys.argv
CHAINS = 3
FILES = 5_000
MOST_SECONDS = 0.5
MOST_SECONDS_OF_A_CHAIN = 2.0
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.005
WORKFLOWS = {
    "step.yml": """
on: {push: {branches: [main]}}
jobs:
  one: {runs-on: ubuntu-latest, steps: [{uses: actions/checkout@v4}, {run: test -f file-0-0}]}
""",
    "chain.yml": "on: {push: {branches: [chain]}}\njobs:\n"
    + "".join(
        f"  job{number}:\n    runs-on: ubuntu-latest\n"
        + (f"    needs: job{number - 1}\n" if number else "")
        + "    steps: [{run: 'true'}]\n"
        for number in range(10)
    ),
}


def main() -> int:
    print(describe_machine())
    os.environ.pop("DOCKER_HOST", None)
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = measure_floor(folder)
        print(f"{'seconds':12}{'push: p50':>11}{'p95':>7}{'chain':>8}")
        print(f"{'git alone':12}{floor:>11.2f}")
        with databases(folder) as addresses:
            for kind, address in addresses.items():
                is_good &= measure(folder, kind, address)
    return 0 if is_good else 1


def measure(folder: Path, kind: str, address: str) -> bool:
    """Measure a server on one database; tell whether it keeps the limits."""
    repository = Pushed(folder / f"pushed-{kind}")
    with serving(folder, address, "--capacity", "2") as server:
        store = ServerDatabase(address)
        pushing = Pushing(server, store, repository)
        # The first push waits for the runner to come up and for what is made once.
        pushing.push("main", find_first_run_step)
        pushing.stages.clear()
        used = Processors(server, address)
        steps = [pushing.push("main", find_first_run_step) for _ in range(PUSHES)]
        usage = used.describe(PUSHES)
        chains = [pushing.push("chain", find_end) for _ in range(CHAINS)]
        store.close()
    found, chain = percentile(steps, 0.95), min(chains)
    print(f"{kind:12}{percentile(steps, 0.5):>11.2f}{found:>7.2f}{chain:>8.2f}")
    if SHOWS_STAGES:
        print(describe_stages(pushing.stages[:PUSHES]), usage, sep="\n")
    is_good = True
    if found > MOST_SECONDS:
        print(f"FAILED: {kind}: {found:.2f} s from push to step, more than {MOST_SECONDS}")
        is_good = False
    if chain > MOST_SECONDS_OF_A_CHAIN:
        print(f"FAILED: {kind}: a chain in {chain:.2f} s, more than {MOST_SECONDS_OF_A_CHAIN}")
        is_good = False
    return is_good


def find_first_run_step(told: list[tuple[events.RunEvent, float]]) -> float | None:
    """When the first step began, of those that checked out already."""
    started = [moment for it, moment in told if isinstance(it, events.StepStarted)]
    return started[1] if len(started) > 1 else None


def find_end(told: list[tuple[events.RunEvent, float]]) -> float | None:
    """When the run ended; it must have ended well."""
    for it, moment in told:
        if isinstance(it, events.RunFinished):
            assert it.result.value == "success", it
            return moment
    return None


class Pushed:
    """A repository of many files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        for number in range(FILES):
            file = path / f"folder-{number % 100}" / f"file-{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"file {number}\n" * 20)
        (path / "file-0-0").touch()
        place = path / ".github" / "workflows"
        place.mkdir(parents=True)
        for name, text in WORKFLOWS.items():
            (place / name).write_text(text)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        self.git("branch", "chain")

    def commit(self) -> str:
        """Commit a change of one file; return the commit."""
        self.count += 1
        (self.path / "changed").write_text(str(self.count))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {self.count}")
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """Run Git and return what it prints."""
        identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


class Pushing:
    """Pushes to a repository that a server knows, and waits for what comes of it."""

    def __init__(self, server: RunningServer, store: ServerDatabase, repository: Pushed) -> None:
        self._store = store
        self._data = server.data
        self._repository = repository
        self.stages: list[dict[str, float]] = []
        """When each stage of a push was reached, of every push."""
        headers = {"Authorization": f"Bearer {server.token}"}
        self._api = httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60)
        settings = {"location": str(repository.path), "name": "octo/boat", "poll_seconds": 0}
        self._api.post("/repositories", json=settings).raise_for_status()
        answer = self._api.post("/repositories/octo/boat/webhook-secret").raise_for_status()
        self._secret = str(answer.json()["secret"])
        self._hooks = httpx.Client(base_url=server.url, timeout=60)

    def push(
        self, branch: str, find: Callable[[list[tuple[events.RunEvent, float]]], float | None]
    ) -> float:
        """Push a commit; return the seconds until what is looked for was told."""
        repository = self._repository
        before = repository.git("rev-parse", branch)
        sha = repository.commit()
        if branch != "main":
            repository.git("branch", "--force", branch)
        runs = self._list_runs()
        started = time.time()
        self._tell(branch, before, sha)
        accepted = time.time()
        deadline = started + PATIENCE_SECONDS
        while time.time() < deadline:
            for run in self._list_runs() - runs:
                lines = read_announcements(self._store, run, 1)
                told = [found for found in map(read_event, lines) if found is not None]
                moment = find(told)
                if moment is not None:
                    mine = {"sent": started, "accepted": accepted, "told": time.time()}
                    self._wait_for_end(run)
                    if find is find_first_run_step:
                        self.stages.append(mine | self._read_stages(run, branch))
                    return moment - started
            time.sleep(PAUSE_SECONDS)
        sys.exit(f"nothing came of a push to {branch}: {self._list_deliveries()}")

    def _tell(self, branch: str, before: str, sha: str) -> None:
        payload = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": sha,
            "created": False,
            "deleted": False,
            "repository": {"full_name": "octo/boat", "default_branch": "main"},
            "sender": {"login": "octo"},
            "head_commit": {"id": sha, "message": "Change"},
        }
        body = json.dumps(payload)
        digest = hmac.new(self._secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": sha,
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        answer = self._hooks.post("/hooks/github/octo/boat", content=body, headers=headers)
        assert answer.status_code == 202, answer.text

    def _read_stages(self, run: str, branch: str) -> dict[str, float]:
        lines = read_announcements(self._store, run, 1)
        told = [found for found in map(read_event, lines) if found is not None]
        return read_stages(self._store, self._data, run, branch, told)

    def _wait_for_end(self, run: str) -> None:
        """Wait until the runner has nothing to do."""
        deadline = time.time() + PATIENCE_SECONDS
        while time.time() < deadline:
            ((result,),) = self._store.ask("SELECT result FROM attempts WHERE run = ?", (run,))
            if result is not None:
                assert result == "success", f"the run has ended: {result}"
                return
            time.sleep(PAUSE_SECONDS)
        sys.exit(f"run {run} does not end")

    def _list_runs(self) -> set[str]:
        return {str(run) for (run,) in self._store.ask("SELECT id FROM runs")}

    def _list_deliveries(self) -> list[Any]:
        return list(self._store.ask("SELECT state, message FROM deliveries"))


def measure_floor(folder: Path) -> float:
    """Fetch a commit of such a repository into two mirrors; return the seconds that takes."""
    repository = Pushed(folder / "floor")
    mirrors = [folder / f"mirror-{number}" for number in range(2)]
    for mirror in mirrors:
        subprocess.run(["git", "clone", "--quiet", "--mirror", repository.path, mirror], check=True)
    seconds = []
    for _ in range(5):
        repository.commit()
        started = time.perf_counter()
        for mirror in mirrors:
            subprocess.run(["git", "fetch", "--quiet"], cwd=mirror, check=True)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(main())
