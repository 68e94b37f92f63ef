"""An attempt that is resumed: what was told of it is held against what its journal knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.key_cover import KeyCover
from windlass.model.status import Result
from windlass.operations.concealment import Concealment
from windlass.operations.earlier_events import find_ended, find_untold, recall_ends
from windlass.plan import signals
from windlass.protocol.events import JobFinished, JobSkipped, JobStarted, RunStarted

if TYPE_CHECKING:
    from windlass.protocol.events import RunEvent

COVER = KeyCover(lambda text: text.replace("hunter2", "***"))


def ended(job: str, result: Result = Result.SUCCESS) -> JobFinished:
    return JobFinished(job=job, name=job, result=result, seconds=1.0)


def test_an_end_that_only_onlookers_heard_of_counts() -> None:
    """Windlass was killed between telling the end of a job and journalling it."""
    told: list[RunEvent] = [ended("a"), ended("b (***)"), ended("c")]

    assert find_ended(told, {"a", "b (hunter2)"}, COVER) == {
        "a": ended("a"),
        "b (hunter2)": ended("b (***)"),
    }


def test_an_end_before_the_last_start_does_not_count() -> None:
    """The job was started again after it had ended, and did not end that time."""
    told: list[RunEvent] = [ended("a"), JobStarted(job="a", name="a")]

    assert find_ended(told, {"a"}, COVER) == {}


def test_ends_are_recalled_once_each() -> None:
    """The last end of each job is recalled, but of jobs that will tell of their ends again."""
    skipped = JobSkipped(job="b", name="b", reason="no")
    told: list[RunEvent] = [ended("a", Result.FAILURE), skipped, ended("a"), ended("c (***)")]

    assert recall_ends(told, {"c (hunter2)"}, COVER) == (ended("a"), skipped)


def test_ends_that_only_the_journal_has_are_told() -> None:
    """There was no room on the disk for the event."""
    journal = [signals.RunStarted(), *(signals.JobFinished(it, Result.FAILURE) for it in "abc")]

    (found,) = find_untold([ended("a")], {"c"}, journal, COVER)

    assert found == JobFinished(job="b", name="b", result=Result.FAILURE, seconds=0.0)


def test_secrets_in_the_name_of_a_workflow_are_hidden() -> None:
    """Names and paths of files are told as the list of runs has them."""
    event = RunStarted(
        run="1", workflow="hunter2", path="hunter2.yml", github_event="push", sha="f" * 40
    )

    told = Concealment(["hunter2"]).conceal(event)

    assert isinstance(told, RunStarted)
    assert (told.workflow, told.path) == ("***", "***.yml")
