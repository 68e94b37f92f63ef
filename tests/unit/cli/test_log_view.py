"""How a run looks in a pipe, a file or a simple terminal."""

from __future__ import annotations

import io
from textwrap import dedent

import pytest

from windlass.cli.log_view import LogView
from windlass.cli.marks import format_seconds
from windlass.cli.terminal import Terminal
from windlass.model.status import Result
from windlass.protocol.events import (
    Annotation,
    JobFinished,
    JobSkipped,
    JobStarted,
    Output,
    RunEvent,
    RunFinished,
    RunStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
    Summary,
)


def finished_step(job: str, name: str, outcome: Result, code: int, **options: object) -> RunEvent:
    conclusion = options.get("conclusion", outcome)
    assert isinstance(conclusion, Result)
    return StepFinished(
        job=job,
        step="s",
        name=name,
        outcome=outcome,
        conclusion=conclusion,
        exit_code=code,
        seconds=1.26,
    )


STARTED = RunStarted(
    run="1", workflow="CI", path=".github/workflows/ci.yml", github_event="push", sha="0123456789ab"
)
FAILED_RUN: tuple[RunEvent, ...] = (
    STARTED,
    JobStarted(job="lint", name="lint"),
    JobStarted(job="test (3.12)", name="test (3.12)"),
    StepStarted(job="lint", step="s", name="Run ruff"),
    Output(job="lint", step="s", text="all\ngood\n"),
    finished_step("lint", "Run ruff", Result.FAILURE, 3, conclusion=Result.SUCCESS),
    JobFinished(job="lint", name="lint", result=Result.SUCCESS, seconds=1.3),
    StepStarted(job="test (3.12)", step="s", name="Run pytest"),
    Output(job="test (3.12)", step="s", text="".join(f"line {n}\n" for n in range(22))),
    Annotation(
        job="test (3.12)",
        step="s",
        level="error",
        message="it\nbroke",
        properties={"file": "a.py", "line": "3"},
    ),
    finished_step("test (3.12)", "Run pytest", Result.FAILURE, 1),
    StepSkipped(job="test (3.12)", step="t", name="Upload", reason="an earlier step failed"),
    JobFinished(job="test (3.12)", name="test (3.12)", result=Result.FAILURE, seconds=2),
    JobSkipped(job="deploy", name="deploy", reason="needs.test.result is 'failure'"),
    RunFinished(run="1", result=Result.FAILURE, seconds=83),
)


def shown(events: tuple[RunEvent, ...]) -> str:
    stream = io.StringIO()
    with LogView(Terminal(stream, is_live=False, colour=False)) as view:
        for event in events:
            view.show(event)
    return stream.getvalue()


def test_a_failed_run_in_a_pipe() -> None:
    """Every line has its job; the end tells why it failed and how each job ended."""
    log = shown(FAILED_RUN)
    lines = "\n".join(f"test (3.12) │   line {number}" for number in range(22))
    tail = "\n".join(f"  │ line {number}" for number in range(3, 22))

    assert log == (
        dedent(
            """\
            CI  .github/workflows/ci.yml on push at 0123456  run 1
            lint        │ ▸ Run ruff
            lint        │   all
            lint        │   good
            lint        │ ✗ Run ruff (exit code 3, continue-on-error) 1.3s
            lint        │ ✓ succeeded 1.3s
            test (3.12) │ ▸ Run pytest
            LINES
            test (3.12) │   error: a.py:3: it; broke
            test (3.12) │ ✗ Run pytest (exit code 1) 1.3s
            test (3.12) │ ⊘ Upload: an earlier step failed
            test (3.12) │ ✗ failed 2.0s
            deploy      │ ⊘ skipped: needs.test.result is 'failure'

            Annotations
              error: a.py:3: it; broke (test (3.12))

            Jobs
              ✓ lint           1.3s
              ✗ test (3.12)    2.0s
              ⊘ deploy       needs.test.result is 'failure'

            test (3.12) › Run pytest failed with exit code 1; the last 20 of 23 lines:
            TAIL
              │ error: a.py:3: it; broke

            ✗ CI failed in 1m 23s
              windlass logs 1 --job 'test (3.12)'  # all it printed
              windlass rerun 1 --failed            # what failed, again
            """
        )
        .replace("LINES", lines)
        .replace("TAIL", tail)
    )


def test_a_finished_run_leaves_no_codes_in_a_pipe() -> None:
    """Nothing but text goes to a file, whatever the steps print."""
    output = Output(job="a", step="s", text="\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07 10%\r 99%\n")

    assert shown((STARTED, JobStarted(job="a", name="a"), output)).endswith("a │    99%\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b[31mred\x1b[0m", "a │   \x1b[31mred\x1b[0m"),
        ("\x1b[31mred", "a │   \x1b[31mred\x1b[0m"),
        ("\x1b[2Jclear\x1b[1;1H", "a │   clear"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "a │   link"),
        ("bell\x07 nul\x00", "a │   bell␇ nul␀"),
        ("10%\r50%\r100%", "a │   100%"),
        ("windows\r", "a │   windows"),
        ("tab\there", "a │   tab     here"),
        ("", "a │"),
    ],
)
def test_output_keeps_colours_and_cannot_move_the_cursor(text: str, line: str) -> None:
    """On a terminal a step's colours stay; every other sequence goes."""
    stream = io.StringIO()
    with LogView(Terminal(stream, is_live=False, colour=True)) as view:
        view.show(STARTED)
        view.show(JobStarted(job="a", name="a"))
        stream.truncate(0)
        stream.seek(0)
        view.show(Output(job="a", step="s", text=text))

    plain = stream.getvalue().replace("\x1b[36ma\x1b[0m \x1b[2m│\x1b[0m", "a │")
    assert plain.removesuffix("\n").rstrip(" ") == line


def test_groups_are_indented_below_their_title() -> None:
    """The lines of a group stand below it, of this step only."""
    text = "##[group]Unpack\none\n##[endgroup]\ntwo\n"
    out = shown(
        (
            STARTED,
            JobStarted(job="a", name="a"),
            Output(job="a", step="s", text=text),
            Output(job="a", step="s", text="##[group]More\n"),
            Output(job="a", step="t", text="other\n"),
            Output(job="a", step="s", text="inside\n"),
        )
    )

    assert out.splitlines()[1:] == [
        "a │   ▾ Unpack",
        "a │     one",
        "a │   two",
        "a │   ▾ More",
        "a │   other",
        "a │     inside",
    ]


def test_step_summaries_stand_at_the_end() -> None:
    """What a step wrote to its summary is shown with its job, and not endlessly."""
    markdown = "# Title\n" + "row\x1b[2J\n" * 50
    out = shown(
        (
            STARTED,
            JobStarted(job="a", name="A"),
            Summary(job="a", step="s", markdown=markdown),
            RunFinished(run="1", result=Result.SUCCESS, seconds=1),
        )
    )

    assert "\nSummary of A\n  # Title\n  row␛[2J\n" in out
    assert out.count("  row␛[2J\n") == 39
    assert "\n  … the whole of it: windlass show 1 --summary\n" in out


def test_names_are_harmless() -> None:
    """Escape codes in the names of workflows, jobs and steps are made visible."""
    out = shown(
        (
            RunStarted(run="1", workflow="\x1b[2J", path="p", github_event="push", sha="0" * 40),
            JobStarted(job="j", name="\x1b]0;x\x07"),
            StepStarted(job="j", step="s", name="a\nb\x1b[H"),
            JobSkipped(job="k", name="\x9b", reason="\x1bc"),
        )
    )

    assert "\x1b" not in out
    assert "\x9b" not in out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (9.96, "10.0s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (60, "1m 00s"),
        (125.4, "2m 05s"),
        (3599.4, "59m 59s"),
        (3720, "1h 02m"),
    ],
)
def test_seconds(seconds: float, text: str) -> None:
    """Durations are short and never say 60 seconds."""
    assert format_seconds(seconds) == text


def test_a_failure_says_what_was_run_and_where() -> None:
    """The script stands above what it printed, errors by runner commands included."""
    script = "".join(f"command {number}\n" for number in range(12))
    log = shown(
        (
            STARTED,
            JobStarted(job="a", name="a"),
            StepStarted(
                job="a", step="s", name="Build", path="ci.yml", line=7, script=script, shell="sh"
            ),
            Output(job="a", step="s", text="##[group]Tools\nmake 4\n##[endgroup]\n"),
            Annotation(job="a", step="s", level="error", message="no compiler"),
            Annotation(
                job="a", step="s", level="error", message="Process completed with exit code 2."
            ),
            finished_step("a", "Build", Result.FAILURE, 2),
            RunFinished(run="1", result=Result.FAILURE, seconds=1),
        )
    )
    commands = "\n".join(f"    command {number}" for number in range(1, 10))
    assert (
        "a › Build failed with exit code 2; its output:\n"
        "  ci.yml:7 in sh\n"
        f"  $ command 0\n{commands}\n    and 2 more lines\n"
        "  │ ▾ Tools\n"
        "  │ make 4\n"
        "  │ error: no compiler\n"
    ) in log


@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param("exit 7\n", "", id="which the name says already"),
        pytest.param("exit \\\n  7", "  $ exit \\\n      7\n", id="of several lines"),
    ],
)
def test_a_failure_without_output_says_where_it_is(script: str, told: str) -> None:
    """A script that the step is named after is not told twice."""
    name = "Run " + script.splitlines()[0]
    log = shown(
        (
            STARTED,
            StepStarted(job="a", step="s", name=name, path="ci.yml", line=7, script=script),
            finished_step("a", name, Result.FAILURE, 7),
            RunFinished(run="1", result=Result.FAILURE, seconds=1),
        )
    )
    assert f"a › {name} failed with exit code 7 and printed nothing\n  ci.yml:7\n{told}\n" in log


def test_jobs_with_long_names_stay_apart() -> None:
    """Names of a matrix differ at their ends; names that look alike even so are numbered."""
    names = [
        *(f"integration tests on ubuntu (3.{minor}, linux)" for minor in (11, 12)),
        *(f"integration tests {middle} of a long name that ends alike" for middle in "ab"),
        "short",
    ]
    started = (JobStarted(job=str(number), name=name) for number, name in enumerate(names))
    steps = (StepStarted(job=str(number), step="s", name="x") for number in range(len(names)))

    lines = shown((STARTED, *started, *steps)).splitlines()[1:]

    assert lines == [
        "integration te…(3.11, linux) │ ▸ x",
        "integration te…(3.12, linux) │ ▸ x",
        "integration t…hat ends alike │ ▸ x",
        "integration…t ends alike #2  │ ▸ x",
        "short                        │ ▸ x",
    ]


def test_the_steps_of_an_action_are_further_in() -> None:
    """A composite step holds its steps, and its failure is that of the step inside."""
    log = shown(
        (
            STARTED,
            JobStarted(job="a", name="a"),
            StepStarted(job="a", step="x", name="Run ./x"),
            StepStarted(job="a", step="x.y", name="Run ./y", parent="x"),
            StepStarted(job="a", step="x.y.z", name="Build", parent="x.y"),
            Output(job="a", step="x.y.z", text="one\ntwo\n"),
            Annotation(job="a", step="x.y.z", level="warning", message="careful"),
            ended("x.y.z", "Build"),
            StepSkipped(job="a", step="x.y.w", name="Tidy", reason="no", parent="x.y"),
            ended("x.y", "Run ./y"),
            ended("x", "Run ./x"),
            RunFinished(run="1", result=Result.FAILURE, seconds=1),
        )
    )

    assert log.splitlines()[1:12] == [
        "a │ ▸ Run ./x",
        "a │   ▸ Run ./y",
        "a │     ▸ Build",
        "a │       one",
        "a │       two",
        "a │       warning: careful",
        "a │     ✗ Build (exit code 1) 1.0s",
        "a │     ⊘ Tidy: no",
        "a │   ✗ Run ./y (exit code 1) 1.0s",
        "a │ ✗ Run ./x (exit code 1) 1.0s",
        "",
    ]
    assert "a › Run ./x › Run ./y › Build failed with exit code 1; its output:" in log
    assert log.count("failed with exit code") == 1


def ended(step: str, name: str) -> StepFinished:
    return StepFinished(
        job="a",
        step=step,
        name=name,
        outcome=Result.FAILURE,
        conclusion=Result.FAILURE,
        exit_code=1,
        seconds=1.0,
    )


@pytest.mark.parametrize(
    ("lines", "shown_lines"),
    [
        pytest.param(("one",), ["  one"], id="other words"),
        pytest.param(
            ("##[group]Run make\n", "make all\nshell: bash\n", "##[endgroup]\none"),
            ["  one"],
            id="the runner's header in pieces",
        ),
        pytest.param(
            ("##[group]Build\nmake\n##[endgroup]\n##[group]Build\ntwo",),
            ["  ▾ Build", "    two"],
            id="a group of the same name later on",
        ),
        pytest.param(
            ("##[group]Run tests\none",),
            ["  ▾ Run tests", "    one"],
            id="another group",
        ),
        pytest.param(
            ("\n##[group]Run make\none",), ["", "  ▾ Run make", "    one"], id="not at the start"
        ),
    ],
)
def test_the_header_of_a_step_is_left_out(lines: tuple[str, ...], shown_lines: list[str]) -> None:
    """The runner repeats the script at the start of each step; its name says it already."""
    begun = StepStarted(job="a", step="s", name="Build", script="\n make\nmake install\n")
    outputs = (Output(job="a", step="s", text=text) for text in lines)
    log = shown((STARTED, JobStarted(job="a", name="a"), begun, *outputs))

    assert log.splitlines()[2:] == [f"a │ {line}".rstrip() for line in shown_lines]


@pytest.mark.parametrize("text", ["one\n\ntwo\n", "\n", "\n\n\n", "one\n\n", "\none\n", "a\n b\n"])
def test_empty_lines_stay_and_end_without_blanks(text: str) -> None:
    """Every line of a block has its job in front, and none gets blanks at its end."""
    log = shown((STARTED, JobStarted(job="a", name="a"), Output(job="a", step="s", text=text)))

    assert log.splitlines()[1:] == [
        f"a │   {line}".rstrip() for line in text.removesuffix("\n").split("\n")
    ]


def test_a_job_that_was_cancelled_before_it_began() -> None:
    """The reason stands where the time would."""
    end = JobFinished(
        job="a", name="a", result=Result.CANCELLED, seconds=0, reason="a newer one\x1b"
    )
    log = shown((STARTED, end, RunFinished(run="1", result=Result.CANCELLED, seconds=1)))

    assert log.splitlines()[1] == "a │ ■ cancelled: a newer one␛"
    assert "\n  ■ a  a newer one␛\n" in log


def test_where_a_job_has_deployed_to() -> None:
    """The address of a deployment stands beside its job."""
    end = JobFinished(
        job="a", name="a", result=Result.SUCCESS, seconds=1, environment_url="https://example.org"
    )
    log = shown((STARTED, end, RunFinished(run="1", result=Result.SUCCESS, seconds=1)))

    assert "\n  ✓ a    1.0s  https://example.org\n" in log


def test_where_a_job_runs() -> None:
    """A place that is not this machine is told before the job's first step."""
    log = shown((STARTED, JobStarted(job="a", name="a", place="sandbox")))

    assert log.endswith("a │ runs in sandbox\n")
    assert "runs in" not in shown((STARTED, JobStarted(job="a", name="a", place="host")))
