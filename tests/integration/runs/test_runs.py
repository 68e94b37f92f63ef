"""Runs of real workflows in real repositories, with real processes."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from windlass.errors import UsageError
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.plans import PlanOptions
from windlass.operations.runs import Interruption, RunOptions, RunReport, run_event
from windlass.protocol import events

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic

CLEAN = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "PATH": os.environ["PATH"],
}


def on_host(plan: PlanOptions = PlanOptions(), **options: Any) -> RunOptions:  # noqa: B008 - frozen
    """Options by which jobs run on this machine."""
    places = {"*": "host", **plan.places}
    return RunOptions(plan=replace(plan, places=places), **options)


class Checkout:
    """A repository with workflows, and what its last run told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seen: list[events.RunEvent] = []
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, env=CLEAN, check=True)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def workflow(self, text: str, name: str = "ci") -> None:
        self.write(f".github/workflows/{name}.yml", text)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def run(
        self,
        event: str = "push",
        interruption: Interruption | None = None,
        **options: Any,
    ) -> RunReport:
        self.seen.clear()
        wishes = on_host(**options)
        return run_event(self.root, event, wishes, self.seen.append, interruption)

    def output(self) -> str:
        return "".join(event.text for event in self.seen if isinstance(event, events.Output))

    def messages(self) -> list[str]:
        return [event.message for event in self.seen if isinstance(event, events.Annotation)]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


TWO_JOBS = """
name: CI
on: [push, pull_request]
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      tag: ${{ steps.tag.outputs.tag }}
    steps:
      - uses: actions/checkout@v4
      - id: tag
        run: echo "tag=$(cat version.txt)" >> "$GITHUB_OUTPUT"
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: echo "got ${{ needs.build.outputs.tag }} of $GITHUB_REPOSITORY on $GITHUB_REF"
"""


@pytest.mark.requirement("A08")
def test_two_jobs_hand_over_an_output(checkout: Checkout) -> None:
    """The second job starts after the first and sees what it put out."""
    checkout.workflow(TWO_JOBS)
    checkout.write("version.txt", "v7\n")
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 0
    (run,) = report.runs
    assert dict(run.jobs) == {"build": Result.SUCCESS, "test": Result.SUCCESS}
    assert f"got v7 of local/{checkout.root.name} on refs/heads/main" in checkout.output()
    assert isinstance(checkout.seen[0], events.RunStarted)
    assert isinstance(checkout.seen[-1], events.RunFinished)


def test_nothing_is_left_behind_but_the_state_folder(checkout: Checkout) -> None:
    """Jobs' folders go, and Git sees nothing of ours; with `keep` the folders stay."""
    checkout.workflow(TWO_JOBS)
    checkout.write("version.txt", "v7\n")
    checkout.commit()

    checkout.run()
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=checkout.root, env=CLEAN, capture_output=True
    )
    assert status.stdout == b""
    assert list((checkout.root / ".windlass" / "work").iterdir()) == []

    kept = checkout.run(keep=True).runs[0].kept
    assert kept is not None
    assert sorted(path.name for path in kept.iterdir()) == ["1-build", "2-test"]


def test_an_event_that_starts_nothing_is_a_success_with_a_warning(checkout: Checkout) -> None:
    """GitHub shows no run at all then; the plan says why each workflow is left out."""
    checkout.workflow(TWO_JOBS)
    checkout.commit()

    report = checkout.run("release")

    assert report.exit_code == 0
    assert report.runs == ()
    assert [found.code for found in report.diagnostics] == ["nothing-to-run"]
    assert report.planning.plan is not None
    assert "not release" in report.planning.plan.workflows[0].decision.reason
    assert checkout.seen == []


@pytest.mark.requirement("B01")
def test_a_failed_step_is_exit_code_1(checkout: Checkout) -> None:
    """What comes after the gate does not run."""
    checkout.workflow("""
on: push
jobs:
  gate: {runs-on: ubuntu-latest, steps: [{run: exit 3}]}
  deploy: {needs: gate, runs-on: ubuntu-latest, steps: [{run: echo deployed}]}
""")
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 1
    assert dict(report.runs[0].jobs) == {"gate": Result.FAILURE, "deploy": Result.SKIPPED}
    assert "deployed" not in checkout.output()


DEPLOYS = """
on: push
jobs:
  build: {runs-on: ubuntu-latest, steps: [{run: echo built}]}
  deploy:
    needs: build
    runs-on: ubuntu-latest
    continue-on-error: true
    environment: {name: "${{ github.ref_name }}-site"}
    steps: [{run: echo deployed}]
"""


def test_bug_15_a_job_for_an_environment_is_held(checkout: Checkout) -> None:
    """It does not run unless it is allowed to, what comes before it does, and nothing is green."""
    checkout.workflow(DEPLOYS)
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 1
    assert checkout.output() == "built\n"
    assert any("--allow-environment main-site" in message for message in checkout.messages())


def test_an_allowed_environment_is_deployed_to(checkout: Checkout) -> None:
    """Naming the environment lets its jobs run."""
    checkout.workflow(DEPLOYS)
    checkout.commit()

    report = checkout.run(allowed_environments=frozenset({"main-site"}))

    assert report.exit_code == 0
    assert checkout.output() == "built\ndeployed\n"


def test_what_is_not_supported_is_told_before_any_job(checkout: Checkout) -> None:
    """All of it, with places, and nothing has run."""
    checkout.workflow("""
on: push
jobs:
  a: {runs-on: ubuntu-latest, steps: [{run: echo ran}]}
  b: {runs-on: ubuntu-latest, snapshot: mine, steps: [{run: echo ran}]}
  c: {runs-on: windows-latest, steps: [{run: x}]}
""")
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 1
    assert len(report.diagnostics) == 2
    assert all(found.span is not None for found in report.diagnostics)
    assert [type(event) for event in checkout.seen] == [events.WorkflowRefused]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"plan": PlanOptions(job="a")}, id="another job"),
        pytest.param({"plan": PlanOptions(matrix={"os": "ubuntu-latest"})}, id="another leg"),
        pytest.param(
            {"plan": PlanOptions(places={"windows-latest": "host"})}, id="here all the same"
        ),
    ],
)
def test_what_is_not_run_is_not_held_against_a_run(
    checkout: Checkout, options: dict[str, Any]
) -> None:
    """A foreign leg does not matter where it is left out or was given a place."""
    checkout.workflow("""
on: push
jobs:
  a: {runs-on: ubuntu-latest, steps: [{run: echo ran}]}
  b:
    strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}
    runs-on: ${{ matrix.os }}
    steps: [{run: echo ran}]
  c: {if: github.event_name == 'release', runs-on: macos-latest, steps: [{run: x}]}
""")
    checkout.commit()

    assert checkout.run(**options).exit_code == 0


def test_a_foreign_label_found_out_late_fails_its_job(checkout: Checkout) -> None:
    """Where the label is computed by a job, the job that asks for it fails and says so."""
    checkout.workflow("""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {os: windows-latest}
    steps: [{run: "true"}]
  b: {needs: a, runs-on: "${{ needs.a.outputs.os }}", steps: [{run: echo ran}]}
""")
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 1
    assert any("windows-latest" in message for message in checkout.messages())


def test_broken_file_fails_by_itself(checkout: Checkout) -> None:
    """Mistakes of every file are told before any job; the files without mistakes run."""
    told: list[Diagnostic] = []
    checkout.workflow(TWO_JOBS)
    checkout.write("version.txt", "1.2")
    checkout.workflow("on: push\njobs: {a: {runs-on: x, stepps: []}}\n", name="one")
    checkout.workflow("on: push\n", name="two")
    checkout.workflow(
        "on: push\njobs: {a: {uses: ./.github/workflows/one.yml}}\n", name="caller-of-one"
    )
    checkout.commit()

    report = run_event(
        checkout.root,
        "push",
        on_host(),
        checkout.seen.append,
        tell=lambda _, findings: told.extend(() if checkout.seen else findings),
    )

    assert report.exit_code == 1
    assert [run.result for run in report.runs] == [Result.SUCCESS]
    folder = ".github/workflows/"
    broken = [f"{folder}{name}.yml" for name in ("caller-of-one", "one", "two")]
    assert [refused.path for refused in report.refused] == broken
    assert tuple(told) == report.diagnostics
    assert {found.span.path for found in told if found.span} == set(broken[1:])
    refusals = [event for event in checkout.seen if isinstance(event, events.WorkflowRefused)]
    assert [event.path for event in refusals] == broken
    assert checkout.seen[:3] == refusals


def test_nothing_runs_where_the_chosen_file_is_broken(checkout: Checkout) -> None:
    """`-W` names the one workflow that was asked for."""
    checkout.workflow(TWO_JOBS)
    checkout.workflow("on: push\n", name="two")
    checkout.commit()

    report = checkout.run(plan=PlanOptions(workflows=checkout.root / ".github/workflows/two.yml"))

    assert (report.exit_code, report.runs) == (1, ())
    assert [refused.name for refused in report.refused] == [".github/workflows/two.yml"]


LARGE = """
name: Large
on: push
jobs:
  before: {runs-on: ubuntu-latest, steps: [{run: echo before}]}
  legs:
    needs: before
    runs-on: ubuntu-latest
    strategy: {matrix: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
      b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}}
    steps: [{run: echo leg}]
"""


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(LARGE, id="a matrix of 272 legs"),
        pytest.param(
            "name: Large\non: push\njobs: {a: {runs-on: ubuntu-latest, snapshot: mine,"
            " steps: [{run: echo no}]}}\n",
            id="a custom image",
        ),
    ],
)
def test_refused_workflow_starts_no_job_and_stops_no_other(
    checkout: Checkout, refused: str
) -> None:
    """What is known before the start to fail keeps all jobs of its workflow from starting."""
    checkout.workflow(refused, name="a")
    checkout.workflow(
        "name: Small\non: push\njobs: {j: {runs-on: ubuntu-latest, steps: [{run: echo small}]}}\n",
        name="b",
    )
    checkout.commit()

    report = checkout.run()

    assert report.exit_code == 1
    assert [run.name for run in report.runs] == ["Small"]
    assert [it.name for it in report.refused] == ["Large"]
    assert checkout.output() == "small\n"


def test_wrong_call_starts_nothing(checkout: Checkout) -> None:
    """A value that no workflow can take is a mistake in the call, whichever workflow it is for."""
    declared = "{inputs: {where: {type: choice, options: [here, there]}}}"
    step = "{runs-on: ubuntu-latest, steps: [{run: echo no}]}"
    checkout.workflow(f"on: {{workflow_dispatch: {declared}}}\njobs: {{j: {step}}}\n", name="a")
    checkout.workflow(f"on: workflow_dispatch\njobs: {{j: {step}}}\n", name="b")
    checkout.commit()

    report = checkout.run("workflow_dispatch", plan=PlanOptions(inputs={"where": "nowhere"}))

    assert report.exit_code == 1
    assert (report.runs, checkout.seen) == ((), [])


def test_workflows_run_one_after_the_other(checkout: Checkout) -> None:
    """In the order of their files; the worst of them decides the exit code."""
    for name, code in (("b", 1), ("a", 0)):
        checkout.workflow(
            f"name: {name}\non: push\n"
            f"jobs: {{j: {{runs-on: ubuntu-latest, steps: [{{run: exit {code}}}]}}}}\n",
            name=name,
        )
    checkout.commit()

    report = checkout.run()

    assert [(run.name, run.result) for run in report.runs] == [
        ("a", Result.SUCCESS),
        ("b", Result.FAILURE),
    ]
    assert report.exit_code == 1


def test_an_unknown_job_or_place_is_told(checkout: Checkout) -> None:
    """What the options name has to exist."""
    checkout.workflow(TWO_JOBS)
    checkout.commit()

    report = checkout.run(plan=PlanOptions(job="tset"))
    assert report.exit_code == 1
    assert "tset" in report.diagnostics[0].message
    with pytest.raises(UsageError, match=r"'ubuntu-latest' cannot run in 'cloud'"):
        checkout.run(plan=PlanOptions(places={"ubuntu-latest": "cloud"}))


@pytest.mark.requirement("A27")
def test_secrets_and_variables_reach_jobs_and_are_masked(checkout: Checkout) -> None:
    """`secrets`, `vars`, `inputs` and added variables are there; secrets never in what is told."""
    checkout.workflow("""
on: {workflow_dispatch: {inputs: {level: {type: number, default: 3}}}}
env: {FROM_SECRET: "${{ secrets.TOP }}"}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo "$FROM_SECRET ${{ vars.REGION }} $ADDED ${{ inputs.level == 4 }}"
""")
    checkout.commit()

    report = checkout.run(
        "workflow_dispatch",
        plan=PlanOptions(variables={"REGION": "eu"}, inputs={"level": "4"}),
        secrets={"TOP": "tip-top-secret"},
        env={"ADDED": "added"},
    )

    assert report.exit_code == 0
    assert checkout.output() == "*** eu added true\n"
    assert "tip-top-secret" not in repr(checkout.seen)
    assert "tip-top-secret" not in repr(RunOptions(secrets={"TOP": "tip-top-secret"}))


class TestInterruption:
    SLOW = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: sleep 600
      - if: cancelled()
        run: echo cleaned
      - run: echo never
"""

    def test_once_lets_conditions_decide(self, checkout: Checkout) -> None:
        """The step ends by SIGINT, what asks for it still runs, the exit code is 130."""
        checkout.workflow(self.SLOW)
        checkout.commit()
        interruption = Interruption()

        report = self._run(checkout, interruption, requests=1)

        assert report.exit_code == 130
        assert report.runs[0].result is Result.CANCELLED
        assert checkout.output() == "cleaned\n"

    def test_twice_kills_what_runs(self, checkout: Checkout) -> None:
        """Nothing else starts, and what runs ends at once."""
        checkout.workflow(self.SLOW.replace("sleep 600", "trap '' INT TERM; sleep 600; sleep 600"))
        checkout.commit()
        interruption = Interruption()

        report = self._run(checkout, interruption, requests=2)

        assert report.exit_code == 130
        assert checkout.output() == ""

    def test_before_it_starts(self, checkout: Checkout) -> None:
        """A run that is given up before it has begun runs nothing."""
        checkout.workflow(TWO_JOBS)
        checkout.commit()
        interruption = Interruption()
        interruption.request()

        report = checkout.run(interruption=interruption)

        assert report.exit_code == 130
        assert report.runs == ()

    def _run(self, checkout: Checkout, interruption: Interruption, requests: int) -> RunReport:
        """Ask for the end as soon as the first step has started, from another thread."""
        started = threading.Event()

        def interrupt() -> None:
            started.wait(120)
            for _ in range(requests):
                interruption.request()

        thread = threading.Thread(target=interrupt)
        thread.start()

        def see(event: events.RunEvent) -> None:
            checkout.seen.append(event)
            if isinstance(event, events.StepStarted):
                started.set()

        report = run_event(checkout.root, "push", on_host(), see, interruption)
        thread.join()
        return report


@pytest.mark.parametrize("keep", [False, True])
def test_secret_in_a_matrix_is_hidden_wherever_its_job_is_told_of(
    checkout: Checkout, keep: bool
) -> None:
    """Keys, names, reasons and folders: also of jobs that never start."""
    secret = "hunter2-and-more"
    checkout.workflow(f"""
on: push
jobs:
  runs:
    strategy: {{matrix: {{v: [{secret}, "{secret}{secret}", other]}}}}
    runs-on: ubuntu-latest
    steps: [{{run: "true"}}]
  held: {{runs-on: ubuntu-latest, environment: {secret}, steps: [{{run: "true"}}]}}
  stops:
    strategy: {{max-parallel: 1, matrix: {{v: [first, {secret}]}}}}
    runs-on: ubuntu-latest
    steps: [{{run: exit 1}}]
""")
    checkout.commit()

    report = checkout.run(secrets={"S": secret}, keep=keep)

    assert set(report.runs[0].jobs) == {
        "runs (***)",
        "runs (***) #2",
        "runs (other)",
        "held",
        "stops (first)",
        "stops (***)",
    }
    assert [event for event in checkout.seen if secret in repr(event)] == []
    names = [path.name for path in (checkout.root / ".windlass" / "work").rglob("*")]
    assert bool(names) == keep
    assert [name for name in names if secret in name] == []


@pytest.mark.parametrize(
    ("matrix", "code"),
    [
        pytest.param({"V": "a"}, None, id="a leg that is there"),
        pytest.param({"v": "c"}, "unknown-leg", id="a value that is not"),
        pytest.param({"version": "a"}, "unknown-matrix-key", id="a key that is not"),
    ],
)
def test_selection_of_legs_that_fits_nothing_is_refused(
    checkout: Checkout, matrix: dict[str, str], code: str | None
) -> None:
    """A mistyped key must not let every leg run."""
    checkout.workflow(
        "on: push\njobs: {j: {strategy: {matrix: {v: [a, b]}}, runs-on: ubuntu-latest,"
        " steps: [{run: 'echo ${{ matrix.v }}'}]}}\n"
    )
    checkout.commit()

    report = checkout.run(plan=PlanOptions(matrix=matrix))

    assert [found.code for found in report.diagnostics] == [code] * (code is not None)
    assert checkout.output() == ("" if code else "a\n")


def test_repository_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    """Blanks, quotes, newlines and letters of other alphabets are nothing special."""
    root = tmp_path / "we ird'\"é\n$x"
    root.mkdir()
    checkout = Checkout(root)
    checkout.workflow("""
on: push
jobs:
  j:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - {run: cat file, shell: bash}
      - {run: "print(open('file').read())", shell: "python3 {0}"}
""")
    checkout.write("file", "found")
    checkout.commit()

    assert checkout.run().exit_code == 0
    assert checkout.output().endswith("foundfound\n")
