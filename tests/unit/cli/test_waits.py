"""How jobs and runs look that wait for a concurrency group."""

from __future__ import annotations

import pytest
from tests.unit.cli.test_live import HEAD, follow, job_end
from tests.unit.cli.test_log_view import STARTED, shown

from windlass.cli.waits import ends_wait
from windlass.model.status import Result
from windlass.protocol.events import JobSkipped, JobStarted, RunEvent, RunFinished, Waiting


def test_who_waits_for_a_group() -> None:
    """A line says for which group, and which job or run is in it as far as that is known."""
    waits = (
        Waiting(job="a", name="a", group="deploy", holder_run="1", holder_job="b"),
        Waiting(job="a", name="a", group="deploy", holder_run="7", holder_job="c / d"),
        Waiting(job="a", name="a", group="deploy", holder_run="7"),
        Waiting(job="a", name="a", group="deploy", holder_job="call / "),
        Waiting(job="", name="top level workflow", group="de\x1bploy"),
    )

    assert shown((STARTED, *waits)).splitlines()[1:] == [
        "a │ … waits for the concurrency group 'deploy', which job 'b' is in",
        "a │ … waits for the concurrency group 'deploy', which job 'c / d' of run 7 is in",
        "a │ … waits for the concurrency group 'deploy', which run 7 is in",
        "a │ … waits for the concurrency group 'deploy', which job 'call' is in",
        "… waits for the concurrency group 'de␛ploy'",
    ]


def test_what_waits_for_a_group() -> None:
    """It stands below the tree, with whoever is in the group, until it starts or ends."""
    waiting = Waiting(job="b", name="Job b", group="deploy", holder_run="1", holder_job="a")
    run = follow(STARTED, JobStarted(job="a", name="a"), waiting, columns=90)
    text = "… Job b: waits for the concurrency group 'deploy', which job 'a' is in"
    assert run.frame() == [HEAD, "⠋ a 0.0s", text]

    run.show(job_end("a"), JobStarted(job="b", name="Job b"))
    assert run.frame() == [HEAD, "✓ a 3.0s", "⠋ Job b 0.0s"]


def test_a_run_that_waits_for_its_group() -> None:
    """The whole run may wait before it has any job."""
    waiting = Waiting(job="", name="top level workflow", group="g", holder_run="7")
    run = follow(STARTED, waiting, columns=90)
    text = "… CI: waits for the concurrency group 'g', which run 7 is in"
    assert run.frame() == [HEAD, text]

    run.show(JobStarted(job="a", name="a"))
    assert run.frame() == [HEAD, "⠋ a 0.0s"]


def test_many_that_wait_are_counted() -> None:
    """Where there is no room for a row each."""
    jobs = [f"j{number}" for number in range(30)]
    waits = [Waiting(job=job, name=job, group="g") for job in jobs]
    run = follow(STARTED, JobStarted(job="a", name="a"), *waits, lines=12)

    assert run.frame() == [HEAD, "⠋ a 0.0s", "… 30 waiting for concurrency groups"]


@pytest.mark.parametrize(
    ("waiting", "event", "is_over"),
    [
        pytest.param("a", JobStarted(job="a", name="a"), True, id="it starts"),
        pytest.param("a", job_end("a"), True, id="it ends"),
        pytest.param("a", JobStarted(job="ab", name="ab"), False, id="another one starts"),
        pytest.param("", JobStarted(job="a", name="a"), True, id="a job of the run starts"),
        pytest.param(
            "c / ", JobStarted(job="c / a", name="a"), True, id="a job of the call starts"
        ),
        pytest.param(
            "c / ", JobSkipped(job="d", name="d", reason="r"), False, id="beside the call"
        ),
        pytest.param("", RunFinished(run="1", result=Result.CANCELLED, seconds=0), False, id="run"),
    ],
)
def test_when_it_is_over(waiting: str, event: RunEvent, *, is_over: bool) -> None:
    """Of a run or a call, any job inside tells that its group was entered."""
    assert ends_wait(event, Waiting(job=waiting, name="", group="g")) is is_over
