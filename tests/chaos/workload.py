"""A run that is small and has everything in it, and what must hold of it wherever it is killed.

Its steps write into a ledger outside the repository what they have printed, line by line: whatever
history says is compared with it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from tests.chaos.processes import Command, Done, wait_until_settled

from windlass.stores.logs import JobLogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ON_HOST: Final = str(Path(__file__).resolve().parents[1] / "host.toml")
"""Settings by which jobs run on this machine."""

WORKFLOW: Final = """\
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - run: . "$SAY" begin
      - uses: actions/checkout@v4
      - uses: ./outer
      - id: say
        run: |
          echo "word=hello" >> "$GITHUB_OUTPUT"
          echo "a summary" >> "$GITHUB_STEP_SUMMARY"
          . "$SAY" end
  legs:
    needs: first
    runs-on: ubuntu-latest
    strategy:
      matrix:
        leg: [1, 2]
    steps:
      - run: . "$SAY" begin ${{ needs.first.outputs.word }}; . "$SAY" end
  forgiven:
    runs-on: ubuntu-latest
    continue-on-error: true
    steps:
      - run: |
          . "$SAY" begin
          setsid sleep 600 &
          printf 'number %s\\n' {1..100}
          exit 3
      - if: always()
        run: . "$SAY" end
  never:
    needs: forgiven
    if: needs.forgiven.result == 'failure'
    runs-on: ubuntu-latest
    steps: [run: . "$SAY" begin]
  last:
    if: always()
    needs: [legs, forgiven, never]
    runs-on: ubuntu-latest
    steps:
      - run: . "$SAY" begin ${{ needs.forgiven.result }} ${{ needs.never.result }}; . "$SAY" end
"""
OUTER: Final = """\
name: Outer
description: A step of its own, and an action that tidies up.
runs:
  using: composite
  steps:
    - run: . "$SAY" outer
      shell: bash
    - uses: ./inner
"""
INNER: Final = """\
name: Inner
description: Has a post stage.
runs:
  using: node20
  main: main.js
  post: post.js
"""
SCRIPT: Final = """\
const text = "{word} of inner";
console.log(text);
require("fs").appendFileSync(process.env.LEDGER, `${{process.env.RUNNER_TEMP}} ${{text}}\\n`);
"""
SAY: Final = """\
echo "$*"
echo "$RUNNER_TEMP $*" >> "$LEDGER"
"""
NUMBERS: Final = 100
ENDS: Final = {
    "first": "post of inner",
    "legs (1)": "end",
    "legs (2)": "end",
    "forgiven": "end",
    "last": "end",
}
"""What each job prints last."""

RESULTS: Final = {
    "first": "success",
    "legs (1)": "success",
    "legs (2)": "success",
    "forgiven": "failure",
    "never": "skipped",
    "last": "success",
}
UNTOLD: Final = "Windlass and the supervisor of this job were killed while "
Undisturbed: TypeAlias = tuple[dict[str, Any], dict[str, list[str]]]
"""What `outline` and `read_logs` say of a run that nobody disturbed."""

_PLACE: Final = re.compile(r"/work/(?P<run>\d+)(?:\.(?P<attempt>\d+))?/(?P<job>\d+)-")


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the ledger: the folder of the job that printed it, in history, and the line."""

    folder: Path
    text: str


class Workload:
    """The repository, and what is known of its runs.

    `results` are those of its jobs, `ends` what each of them prints last.
    """

    results: ClassVar[dict[str, str]] = RESULTS
    ends: ClassVar[dict[str, str]] = ENDS

    def __init__(self, folder: Path) -> None:
        """Make the repository and the ledger in an empty folder."""
        self.path = folder / "repository"
        self.ledger = folder / "ledger"
        self._say = folder / "say"
        home = folder / "home"
        home.mkdir(parents=True)
        self._say.write_text(SAY)
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "WINDLASS_CONFIG": ON_HOST,
        }
        for name, text in self.files().items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Begin")
        self.forget()

    def files(self) -> dict[str, str]:
        """Return what is in the repository."""
        return {
            ".github/workflows/ci.yml": WORKFLOW,
            "outer/action.yml": OUTER,
            "inner/action.yml": INNER,
            "inner/main.js": SCRIPT.format(word="main"),
            "inner/post.js": SCRIPT.format(word="post"),
        }

    @property
    def state(self) -> Path:
        """The repository's `.windlass`."""
        return self.path / ".windlass"

    def forget(self) -> None:
        """Remove history and ledger; what is costly to make, and right, stays."""
        for folder in ("runs", "work"):
            subprocess.run(["rm", "-rf", str(self.state / folder)], check=True)
        for file in self.state.glob("history.db*"):
            file.unlink()
        self.ledger.write_text("")

    def start(self, *words: str, before: Callable[[], None] = lambda: None) -> Command:
        """Start a command of Windlass."""
        return Command(words, self.path, self.variables, before=before)

    def run(self, *words: str) -> Done:
        """Run a command of Windlass to its end."""
        return self.start(*words).wait()

    @property
    def run_words(self) -> tuple[str, ...]:
        """The words of the command that runs it."""
        return ("run", "--env", f"SAY={self._say}", "--env", f"LEDGER={self.ledger}")

    def show(self) -> dict[str, Any] | None:
        """Return what `show` says of the last run; None where there is none."""
        done = self.run("show", "--json")
        if done.code == 2 and "there are no runs" in done.errors:
            return None
        assert done.code == 0, done
        shown: dict[str, Any] = json.loads(done.output)
        return shown

    def said(self) -> list[Said]:
        """Return what steps have printed, as they say themselves."""
        found = []
        for line in self.ledger.read_text().splitlines():
            place, _, text = line.partition(" ")
            match = _PLACE.search(place)
            assert match, line
            attempt = self.state / "runs" / match["run"] / (match["attempt"] or "1")
            found.append(Said(attempt / "jobs" / match["job"], text))
        return found

    def begun(self) -> dict[str, int]:
        """Return how often each job has begun, by key."""
        counts: dict[str, int] = {}
        for said in self.said():
            if said.text.startswith("begin"):
                key = (said.folder / "key").read_text()
                counts[key] = counts.get(key, 0) + 1
        return counts

    def ended(self) -> set[str]:
        """Return the jobs that have printed their last line, by key."""
        said = [((it.folder / "key").read_text(), it.text) for it in self.said()]
        return {key for key, text in said if self.ends.get(key) == text}

    def kept_lines(self, lines: Iterable[str]) -> list[str]:
        """Return of a log what is the same each time."""
        return list(lines)

    def _git(self, *words: str) -> None:
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        variables = self.variables
        subprocess.run(["git", *identity, *words], cwd=self.path, env=variables, check=True)


def outline(shown: dict[str, Any]) -> dict[str, Any]:
    """Return of what `show` says all that is the same each time."""
    jobs = {
        job["job"]: {
            "state": job["state"],
            "outputs": job["outputs"],
            "summary": job["summary"],
            "annotations": [it["message"] for it in job["annotations"]],
            "steps": [
                (step["step"], step["state"], step["conclusion"], step["exit_code"])
                for step in job["steps"]
            ],
        }
        for job in shown["jobs"]
    }
    return {"state": shown["state"], "result": shown["result"], "jobs": jobs}


def states_of(shown: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return the state and the outputs of each job, by key."""
    jobs = shown["jobs"]
    if isinstance(jobs, dict):
        return {key: (job["state"], job["outputs"]) for key, job in jobs.items()}
    return {job["job"]: (job["state"], job["outputs"]) for job in jobs}


def read_logs(workload: Workload) -> dict[str, list[str]]:
    """Return the lines of each job's last log, by key, without what differs each time."""
    logs = {}
    for key, folder in _last_folders(workload).items():
        lines = read_log(folder)
        logs[key] = workload.kept_lines(_PLACE.sub("/work/RUN/JOB-", text) for text in lines)
    return logs


def read_log(folder: Path) -> list[str]:
    """Return the lines of one job's log; none where it was never begun."""
    if not (folder / "log.steps").exists():
        return []
    with JobLogReader(folder / "log") as reader:
        return [line.text for line in reader.lines(0, reader.line_count)]


def find_faults_at_rest(
    workload: Workload,
    shown: dict[str, Any] | None,
    *,
    settle: bool = True,
    may_fail: bool = False,
    may_lose: bool = False,
) -> Iterator[str]:
    """Yield what is wrong while nothing runs, killed or not: processes, mounts, lines, states.

    Without `settle` processes may be left, and logs not finished; with `may_fail` jobs may have
    failed before their end, with `may_lose` lines are missing.
    """
    if settle:
        for name in wait_until_settled():
            yield f"still runs: {name}"
        yield from () if may_lose else _find_lost_lines(workload, may_fail=may_fail)
    if f"{workload.state}/" in Path("/proc/self/mountinfo").read_text():
        yield "something is mounted"
    if shown is None:
        if workload.ledger.read_text():
            yield "steps ran, and history does not know of a run"
        return
    ended, begun = workload.ended(), workload.begun()
    unproved = ("skipped", "interrupted", *(("failure", "cancelled") if may_fail else ()))
    for job in shown["jobs"]:
        key, state = job["job"], job["state"]
        if state == "skipped" and key in begun:
            yield f"{key} is said to be skipped, and ran"
        if state not in unproved and key not in ended:
            yield f"{key} is said to be {state}, and did not come to its end"
        if state in ("interrupted", "running") and shown["state"] != "interrupted":
            yield f"{key} is {state}, and the run is {shown['state']}"
    for key in begun:
        if key not in {job["job"] for job in shown["jobs"]}:
            yield f"{key} began, and is not shown"


def find_differences(
    workload: Workload,
    shown: dict[str, Any] | None,
    undisturbed: Undisturbed,
) -> Iterator[str]:
    """Yield in what a run that has ended differs from one that nobody disturbed."""
    if shown is None:
        yield "there is no run"
        return
    expected, logs = undisturbed
    found = outline(shown)
    if found != expected:
        yield f"shown:\n{json.dumps(found, indent=1)}\ninstead of\n{json.dumps(expected, indent=1)}"
    for key, lines in read_logs(workload).items():
        if lines != logs.get(key, []):
            yield f"log of {key}: {lines} instead of {logs.get(key)}"
    left = [path.name for path in (workload.state / "work").iterdir()]
    if left:
        yield f"left in work: {left}"
    spools = [*workload.state.glob("runs/*/*/jobs/*/s*"), *workload.state.glob("runs/*/*/control")]
    if spools:
        yield f"left in runs: {spools}"


def _find_lost_lines(workload: Workload, *, may_fail: bool) -> Iterator[str]:
    """Compare every log with the ledger: each line is there, in order, and once.

    A step that was killed, which it may where `may_fail` holds, has printed but some of them.
    """
    logs: dict[Path, list[str]] = {
        folder: read_log(folder) for folder in workload.state.glob("runs/*/*/jobs/*")
    }
    for said in workload.said():
        lines = logs.get(said.folder, [])
        is_told = any(line.startswith(UNTOLD) for line in lines)
        if lines.count(said.text) != 1 and not (is_told and said.text not in lines):
            yield f"{said.text!r} is {lines.count(said.text)} times in {said.folder}: {lines[-5:]}"
    for folder, lines in logs.items():
        numbers = [line for line in lines if line.startswith("number ")]
        if numbers != [f"number {it}" for it in range(1, len(numbers) + 1)]:
            yield f"lines are lost or twice in {folder}: {numbers}"
        if numbers and "end" in lines and len(numbers) != NUMBERS and not may_fail:
            yield f"only {len(numbers)} lines in {folder}"


def _last_folders(workload: Workload) -> dict[str, Path]:
    folders = sorted(workload.state.glob("runs/*/*/jobs/*"), key=lambda it: int(it.name))
    return {(it / "key").read_text(): it for it in folders if (it / "key").exists()}
