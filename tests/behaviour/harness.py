"""Plays one behaviour: a workflow in a real checkout, with real processes on this machine.

A file holds two YAML documents: what is given and expected, then the workflow as a user writes it.
Its comment says the rule in a sentence and which source decides it.

    given.files       what lies in the repository, by path; `{content, mode}` for a program,
                      `{link}` for a symbolic link
    given             event, inputs, vars, secrets, env, job, matrix, allow (environments), payload
    given.rerun       `failed`, or the job that runs again; what is expected is the second attempt
    given.cancel      a moment at which the run is cancelled; given.force likewise
    expect.result     how the run ends; `refused` where it must not start
    expect.jobs       every job by key: its result, or {result, outputs, url, steps}; a
                      step is "outcome" or "outcome/conclusion" by its id
    expect.output     by `job/step`: the whole output of the step, or a list of texts that stand in
                      it in this order
    expect.sha256     by `job/step`: the SHA-256 of its whole output
    expect.lacks      by `job/step`: texts that its output does not hold
    expect.nowhere    texts that no event holds, and no file that is kept
    expect.annotations  every one: `level message` or `level file:line message`
    expect.summary    by `job/step`: the Markdown
    expect.before     pairs of moments, the first comes before the second

A moment is `start KEY` or `end KEY` of a job (`build`) or a step (`build/id`), or
`KEY prints TEXT`. The lines in which the runner repeats a step's script are left out of the output.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from windlass.operations.definitions import Given
from windlass.operations.history import LATEST, make_history
from windlass.operations.plans import PlanOptions
from windlass.operations.reruns import FAILED, name_job, rerun
from windlass.operations.runs import Interruption, RunOptions, run_event
from windlass.plan.places import EVERY_LABEL, HOST
from windlass.protocol import events
from windlass.stores.state_folder import STATE_FOLDER

if TYPE_CHECKING:
    from windlass.operations.runs import RunReport
    from windlass.protocol.events import RunEvent

FOLDER = Path(__file__).parent
"""What the jobs of behaviours run on."""

HEADER = re.compile(r"\A##\[group\]Run .*?^##\[endgroup\]\n", re.DOTALL | re.MULTILINE)


@dataclass(slots=True)
class Seen:
    """What onlookers saw."""

    jobs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    steps: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    output: defaultdict[str, str] = field(default_factory=lambda: defaultdict(str))
    annotations: list[str] = field(default_factory=list)
    summaries: dict[str, str] = field(default_factory=dict)
    moments: list[str] = field(default_factory=list)
    everything: list[RunEvent] = field(default_factory=list)


class Behaviour:
    """One workflow, what is given, and what is expected of its run."""

    def __init__(self, file: Path, place: str = HOST) -> None:
        """Read a behaviour that is to be seen in this place, whatever labels its jobs have."""
        self._places = {EVERY_LABEL: place}
        said, self.workflow = _split(file.read_text(encoding="utf-8"))
        told = yaml.safe_load(said)
        self.given: dict[str, Any] = told.get("given") or {}
        self.expected: dict[str, Any] = told["expect"]
        self.seen = Seen()
        self._interruption = Interruption()

    def play(self, folder: Path) -> RunReport:
        """Run the workflow in a repository of its own, and once more where that is wanted."""
        self._lay_out(folder)
        report = run_event(
            folder,
            self.given.get("event", "push"),
            self._make_options(),
            self._see,
            self._interruption,
        )
        return self._play_again(folder) if "rerun" in self.given else report

    def _play_again(self, folder: Path) -> RunReport:
        self.seen = Seen()
        again = self.given["rerun"]
        nothing = Given()
        history = make_history(folder / STATE_FOLDER, lambda _: None)
        with contextlib.closing(history):
            return rerun(
                history,
                LATEST,
                FAILED if again == FAILED else name_job(again),
                nothing,
                nothing,
                self._see,
                self._interruption,
            )

    def output_of(self, step: str) -> str:
        """What a step printed, without the lines that repeat its script."""
        return HEADER.sub("", self.seen.output[step])

    def expect_output(self, expected: str | list[str]) -> str | list[str]:
        """Return what a step's output is to be here."""
        return expected

    def _lay_out(self, folder: Path) -> None:
        files = {".github/workflows/behaviour.yml": self.workflow, **self.given.get("files", {})}
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            file = content if isinstance(content, dict) else {"content": content}
            if "link" in file:
                path.symlink_to(file["link"])
                continue
            path.write_text(file["content"], encoding="utf-8")
            path.chmod(int(file.get("mode", "644"), 8))

    def _make_options(self) -> RunOptions:
        given = self.given
        return RunOptions(
            plan=PlanOptions(
                job=given.get("job"),
                matrix=given.get("matrix", {}),
                inputs=given.get("inputs", {}),
                variables=given.get("vars", {}),
                payload=given.get("payload", {}),
                places=self._places,
            ),
            env=given.get("env", {}),
            secrets=given.get("secrets", {}),
            allowed_environments=frozenset(given.get("allow", [])),
            max_jobs=given.get("max_jobs", 4),
        )

    def _see(self, event: RunEvent) -> None:
        _remember(self.seen, event)
        for moment in _moments_of(event, self.seen):
            if moment in self.seen.moments:
                continue
            self.seen.moments.append(moment)
            self._act_at(moment)
        if isinstance(event, events.Output):
            self._act_on_output(f"{event.job}/{event.step}")

    def _act_on_output(self, step: str) -> None:
        for wish in (self.given.get("cancel"), self.given.get("force")):
            if wish is None or not wish.startswith(f"{step} prints "):
                continue
            text = wish.partition(" prints ")[2]
            if wish not in self.seen.moments and text in self.output_of(step):
                self.seen.moments.append(wish)
                self._act_at(wish)

    def _act_at(self, moment: str) -> None:
        if moment == self.given.get("cancel"):
            self._interruption.request()
        if moment == self.given.get("force"):
            self._interruption.request()
            self._interruption.request()


def make_template(folder: Path) -> Path:
    """Make a repository with one empty commit on its branch `main`."""
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    for words in (
        ("init", "--quiet", "--initial-branch=main", "--template=", str(folder)),
        ("-C", str(folder), *identity, "commit", "--quiet", "--allow-empty", "--message=Start"),
    ):
        subprocess.run(["git", *words], check=True)
    return folder


def make_repository(template: Path, folder: Path) -> Path:
    """Copy a repository that has one commit; what a behaviour adds is not committed."""
    shutil.copytree(template, folder, symlinks=True)
    return folder


def _split(text: str) -> tuple[str, str]:
    said, _, workflow = text.partition("\n---\n")
    return said, workflow


def _remember(seen: Seen, event: RunEvent) -> None:
    seen.everything.append(event)
    match event:
        case events.JobSkipped():
            seen.jobs[event.job] = "skipped"
        case events.JobFinished():
            seen.jobs[event.job] = event.result.value
            seen.outputs[event.job] = dict(event.outputs)
            seen.urls[event.job] = event.environment_url
        case events.StepSkipped():
            seen.steps[event.job][event.step] = "skipped"
        case events.StepFinished():
            same = event.outcome is event.conclusion
            ends = event.outcome.value if same else f"{event.outcome}/{event.conclusion}"
            seen.steps[event.job][event.step] = ends
        case events.Annotation():
            seen.annotations.append(_describe(event))
        case events.Output():
            seen.output[f"{event.job}/{event.step}"] += event.text
        case events.Summary():
            seen.summaries[f"{event.job}/{event.step}"] = event.markdown


def _describe(annotation: events.Annotation) -> str:
    place = annotation.properties.get("file", "")
    if place and (line := annotation.properties.get("line")):
        place = f"{place}:{line}"
    return " ".join(filter(None, (annotation.level, place, annotation.message)))


def _moments_of(event: RunEvent, seen: Seen) -> list[str]:
    match event:
        case events.JobStarted():
            return [f"start {event.job}"]
        case events.JobFinished() | events.JobSkipped():
            return [f"end {event.job}"]
        case events.StepStarted():
            return [f"start {event.job}/{event.step}"]
        case events.StepFinished() | events.StepSkipped():
            return [f"end {event.job}/{event.step}"]
        case _:
            return []
