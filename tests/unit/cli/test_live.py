"""How a run looks on a terminal. A terminal emulator says what a person would see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyte
import pytest
from hypothesis import given, settings, strategies
from tests.unit.cli.test_log_view import FAILED_RUN, STARTED

from windlass.cli.live import LiveView
from windlass.cli.run_tree import RunTree
from windlass.cli.terminal import Terminal
from windlass.cli.tree_rows import TreeRows
from windlass.model.status import Result
from windlass.protocol.events import (
    Annotation,
    JobFinished,
    JobSkipped,
    JobStarted,
    Output,
    RunFinished,
    StepFinished,
    StepSkipped,
    StepStarted,
    Summary,
)

if TYPE_CHECKING:
    from windlass.protocol.events import RunEvent


class Screen(Terminal):
    """A terminal of a size that tests choose, whose screen can be read."""

    def __init__(self, columns: int = 60, lines: int = 20, *, colour: bool = False) -> None:
        self.text = io.StringIO()
        super().__init__(self.text, is_live=True, colour=colour)
        self.columns, self.lines = columns, lines
        self.emulator = pyte.HistoryScreen(columns, lines, history=1000, ratio=1)
        self._feed = pyte.Stream(self.emulator)

    @property
    def size(self) -> tuple[int, int]:
        return self.columns, self.lines

    def write(self, text: str) -> None:
        super().write(text)
        self._feed.feed(text.replace("\n", "\r\n"))  # as the line discipline does

    def seen(self) -> list[str]:
        """The lines on the screen, without empty ones at the end."""
        lines = [line.rstrip() for line in self.emulator.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def everything(self) -> list[str]:
        """What scrolled off the screen, and the screen."""
        history = [
            "".join(row[column].data for column in range(self.columns)).rstrip()
            for row in self.emulator.history.top
        ]
        return history + self.seen()


class FollowedRun:
    """A live view with a clock that stands still until a test sets it; frames are drawn by hand."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.now = 0.0
        self.view = LiveView(screen, clock=lambda: self.now)

    def show(self, *events: RunEvent) -> FollowedRun:
        for event in events:
            self.view.show(event)
        return self

    def frame(self, now: float = 0.0) -> list[str]:
        """What stands on the screen at a time."""
        self.now = now
        self.view.draw_frame()
        return self.screen.seen()


def follow(*events: RunEvent, columns: int = 60, lines: int = 20) -> FollowedRun:
    return FollowedRun(Screen(columns, lines)).show(*events)


def step(job: str, key: str, name: str, parent: str = "") -> StepStarted:
    return StepStarted(job=job, step=key, name=name, parent=parent)


def step_end(
    job: str, key: str, outcome: Result = Result.SUCCESS, seconds: float = 2.0
) -> StepFinished:
    return StepFinished(
        job=job,
        step=key,
        name=key,
        outcome=outcome,
        conclusion=outcome,
        exit_code=0 if outcome is Result.SUCCESS else 1,
        seconds=seconds,
    )


def job_end(job: str, result: Result = Result.SUCCESS) -> JobFinished:
    return JobFinished(job=job, name=job, result=result, seconds=3)


HEAD = "CI  .github/workflows/ci.yml on push at 0123456  run 1"


def test_jobs_and_steps_are_a_tree() -> None:
    """Running jobs have their steps below them, nested ones further in, with the time they take."""
    run = follow(STARTED, JobStarted(job="a", name="a"), JobStarted(job="b", name="b"))
    run.show(step("a", "1", "Check out"), step_end("a", "1"))
    run.show(StepSkipped(job="a", step="2", name="Tidy", reason="r"))
    run.now = 61
    run.show(step("a", "3", "Run ./setup"), step("a", "3.x", "Install", "3"))
    run.show(Output(job="a", step="3.x", text="one\ntwo\n"))

    assert run.frame(62.5) == [
        HEAD,
        "⠴ a 1m 02s",
        "  ✓ Check out 2.0s",
        "  ⊘ Tidy",
        "  ⠴ Run ./setup 1.5s",
        "    ⠴ Install 1.5s",
        "      │ one",
        "      │ two",
        "⠴ b 1m 02s",
    ]


def test_what_has_ended_is_one_line() -> None:
    """The steps of a composite step go with its end, those of a job with the job's."""
    run = follow(STARTED, JobStarted(job="a", name="a"), step("a", "1", "Run ./x"))
    run.show(step("a", "1.y", "inside", "1"), step_end("a", "1.y"), step_end("a", "1"))
    assert run.frame() == [HEAD, "⠋ a 0.0s", "  ✓ Run ./x 2.0s"]

    run.show(job_end("a"), JobSkipped(job="b", name="b", reason="not today"))
    dropped = JobFinished(job="c", name="c", result=Result.CANCELLED, seconds=0, reason="too late")
    run.show(dropped)
    assert run.frame() == [HEAD, "✓ a 3.0s", "⊘ b: not today", "■ c: too late"]


def test_groups_are_folded() -> None:
    """Of a group its title is shown, while it is open with how much there is in it."""
    run = follow(STARTED, JobStarted(job="a", name="a"), step("a", "s", "x"))
    run.show(Output(job="a", step="s", text="zero\n##[group]Unpack\n1\n2\n"))
    assert run.frame()[2:] == ["  ⠋ x 0.0s", "    │ zero", "    │ ▸ Unpack (2 lines)"]

    lines = "".join(f"{number}\n" for number in range(500))
    run.show(Output(job="a", step="s", text=lines))
    assert run.frame()[3:] == ["    │ ▸ Unpack (502 lines)"]

    run.show(Output(job="a", step="s", text="##[endgroup]\nafter\n"))
    assert run.frame()[3:] == ["    │ after"]


def test_the_reason_of_a_failure_stays() -> None:
    """As soon as a job has failed, the end of its step's output stands above the tree."""
    run = follow(STARTED, JobStarted(job="a", name="a"), JobStarted(job="b", name="b"))
    run.show(step("b", "s", "Build"), Output(job="b", step="s", text="no rule\n"))
    run.show(step_end("b", "s", Result.FAILURE), job_end("b", Result.FAILURE))

    assert run.frame() == [
        HEAD,
        "",
        "b › Build failed with exit code 1; its output:",
        "  │ no rule",
        "⠋ a 0.0s",
        "✗ b 3.0s",
    ]


def test_a_job_that_never_started_says_why() -> None:
    """Without a failed step, what was told of the job itself is the reason."""
    run = follow(STARTED, JobStarted(job="a", name="a"))
    run.show(Annotation(job="a", step="", level="error", message="held"))
    run.show(job_end("a", Result.FAILURE))

    assert run.frame() == [HEAD, "", "a failed", "  error: held", "✗ a 3.0s"]


def test_the_end_of_a_run() -> None:
    """The tree gives way to the summary with the times of steps; what was told is not repeated."""
    run = follow(*FAILED_RUN, lines=60)

    assert run.frame()[-15:] == [
        "",
        "Annotations",
        "  error: a.py:3: it; broke (test (3.12))",
        "",
        "Jobs",
        "  ✓ lint           1.3s",
        "    ✗ Run ruff 1.3s",
        "  ✗ test (3.12)    2.0s",
        "    ✗ Run pytest 1.3s",
        "    ⊘ Upload",
        "  ⊘ deploy       needs.test.result is 'failure'",
        "",
        "✗ CI failed in 1m 23s",
        "  windlass logs 1 --job 'test (3.12)'  # all it printed",
        "  windlass rerun 1 --failed            # what failed, again",
    ]
    assert sum("failed with exit code 1" in line for line in run.screen.everything()) == 1


def test_a_reason_that_has_scrolled_away_is_told_again() -> None:
    """Whoever looks at the end of a long run sees why it failed without scrolling."""
    summary = Summary(job="lint", step="s", markdown="- row\n" * 30)
    run = follow(*FAILED_RUN[:-1], summary, FAILED_RUN[-1], lines=40)

    assert any("test (3.12) › Run pytest failed" in line for line in run.screen.seen())
    assert "✗ CI failed in 1m 23s" in run.screen.seen()


def test_a_failure_that_is_forgiven_is_told_once() -> None:
    """A job that may fail does not stand at the end of a run that succeeded."""
    run = follow(STARTED, JobStarted(job="a", name="a"), step("a", "s", "x"), lines=60)
    run.show(step_end("a", "s", Result.FAILURE), job_end("a", Result.FAILURE))
    run.show(Summary(job="a", step="s", markdown="- row\n" * 80))
    run.show(RunFinished(run="1", result=Result.SUCCESS, seconds=1))

    assert sum("a › x failed" in line for line in run.screen.everything()) == 1


def test_the_slowest_steps() -> None:
    """Where not all steps fit on the screen, those that took longest are named."""
    run = follow(STARTED, JobStarted(job="a", name="a"), lines=10)
    for number in range(9):
        run.show(step("a", str(number), f"Step {number}"))
        seconds = 10.0 + number if number % 2 else 0.1
        run.show(step_end("a", str(number), seconds=seconds))
    run.show(job_end("a"), RunFinished(run="1", result=Result.SUCCESS, seconds=50))

    assert run.screen.everything()[-8:] == [
        "",
        "Slowest steps",
        "    17.0s  a › Step 7",
        "    15.0s  a › Step 5",
        "    13.0s  a › Step 3",
        "    11.0s  a › Step 1",
        "",
        "✓ CI succeeded in 50.0s",
    ]


def test_a_hundred_jobs_fit() -> None:
    """Nothing is drawn beyond the screen: what has ended is counted, then what runs is cut."""
    jobs = [JobStarted(job=f"j{number}", name=f"job {number}") for number in range(100)]
    run = follow(STARTED, *jobs, lines=12)
    rows = run.frame()
    assert (len(rows), rows[-1]) == (11, "  and 91 more jobs")

    run.show(*(job_end(f"j{number}") for number in range(2, 100)))
    run.show(step("j0", "s", "Work"), Output(job="j0", step="s", text="line\n" * 50))
    assert run.frame()[1:] == [
        "⠋ job 0 0.0s",
        "  ⠋ Work 0.0s",
        "    │ line",
        "⠋ job 1 0.0s",
        "✓ 98 succeeded",
    ]


def test_two_hundred_steps_fit() -> None:
    """The steps that have ended are counted when they are too many."""
    run = follow(STARTED, JobStarted(job="a", name="a"), lines=12)
    for number in range(200):
        run.show(step("a", str(number), f"Step {number}"), step_end("a", str(number)))
    run.show(step("a", "last", "Last"))

    assert run.frame() == [HEAD, "⠋ a 0.0s", "  200 steps ended", "  ⠋ Last 0.0s"]


@pytest.mark.parametrize("columns", [1, 2, 5, 9, 14, 30])
@pytest.mark.parametrize("lines", [1, 2, 3, 6])
def test_any_screen_is_wide_enough(columns: int, lines: int) -> None:
    """On the smallest screens rows are cut, and no frame scrolls."""
    run = follow(*FAILED_RUN[:11], columns=columns, lines=lines)
    run.frame()
    before = len(run.screen.emulator.history.top)
    for second in range(1, 5):
        run.frame(second)

    assert len(run.screen.emulator.history.top) == before


HOSTILE = (
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b[?1049h",
    "\x9b2J",
    "nul\0bel\x07",
    "\u202eright to left",
    "\u2028line",
    "漢字" * 200,
    "e" + "\u0301" * 300,
    "👩‍👩‍👧" * 50,
    "x" * 100_000,
    "a\rb\rc",
    "\x1bP" + "q" * 50,
    "##[group]\x1b[5A",
    "\t" * 50,
    "\x0e\x0f",
    "\x1b(0",
)


@given(
    texts=strategies.lists(strategies.sampled_from(HOSTILE), min_size=3, max_size=3),
    columns=strategies.integers(min_value=20, max_value=50),
)
@settings(max_examples=25)
def test_hostile_text_cannot_break_the_tree(texts: list[str], columns: int) -> None:
    """Names and output with escape codes, wide or endless text leave each row where it belongs."""
    job, name, output = texts
    run = follow(STARTED, JobStarted(job="a", name=job), step("a", "s", name), columns=columns)
    run.show(Output(job="a", step="s", text=f"{output}\nlast\n"), JobStarted(job="b", name="end"))
    for second in range(3):
        rows = run.frame(second)
    head = -(-len(HEAD) // columns)

    assert rows[head].startswith("⠋")
    assert rows[head + 1].startswith("  ⠋")
    assert rows[-2].startswith("    │ ")
    assert rows[-1].startswith("⠋ end")
    assert len(rows) <= head + 5


def test_a_narrower_terminal_does_not_leave_rows_behind() -> None:
    """Rows that a terminal has wrapped because it became narrower are drawn over all the same."""
    run = follow(STARTED, JobStarted(job="a", name="a" * 50), step("a", "s", "b" * 40))
    run.frame()
    run.screen.columns = 30
    run.screen.text.truncate(0)
    run.screen.text.seek(0)
    run.frame(1)

    assert run.screen.text.getvalue().startswith("\x1b[4F")


def test_an_announcement_comes_with_the_next_frame() -> None:
    """What Ctrl-C does stands above the tree soon, whoever is writing just then."""
    run = follow(STARTED, JobStarted(job="a", name="a"))
    run.view.announce("cancelling")

    assert run.frame() == [HEAD, "cancelling", "⠋ a 0.0s"]


def test_messages_from_elsewhere_have_room() -> None:
    """What is written to stderr in between stays, and the tree goes on below it."""
    run = follow(STARTED, JobStarted(job="a", name="a"))
    run.frame()
    with run.view.aside():
        run.screen.write("warning: something\n")

    assert run.frame() == [HEAD, "warning: something", "⠋ a 0.0s"]


def test_leaving_removes_the_tree() -> None:
    """What was drawn is gone when the view ends, as after an error; what was told stays."""
    screen = Screen()
    with LiveView(screen, clock=lambda: 0.0) as view:
        view.show(STARTED)
        view.show(JobStarted(job="a", name="a"))
        view.draw_frame()

    assert screen.seen() == [HEAD]


def test_rows_never_exceed_the_columns() -> None:
    """The painted rows are as wide as the screen at most, with colour too."""
    screen = Screen(colour=True)
    tree = RunTree(screen)
    for event in FAILED_RUN[:10]:
        tree.add(event, 0.0)
    for columns in range(1, 60):
        rows = TreeRows(tree, screen, 1.0).lay_out(columns, 40)
        shown = Screen(columns + 1, 40)
        shown.write("\n".join(rows))
        assert len(shown.seen()) == len(rows)
