"""Which jobs run again and which are kept."""

from __future__ import annotations

import pytest
from tests.unit.plan.machines import call, job, workflow

from windlass.model.status import Result
from windlass.plan.reruns import EarlierJob, find_kept, select_failed, select_named
from windlass.plan.signals import JobFinished

INNER = workflow(job("x"), job("y", ["x"]))
WORKFLOW = workflow(
    job("a"), job("b", ["A"]), job("c", ["b"]), job("d"), call("e", INNER, ["d"]), job("f", ["e"])
)
PATHS = {
    "a (1)": ("a",),
    "a (2)": ("a",),
    "b": ("b",),
    "c": ("c",),
    "d": ("d",),
    "e / x": ("e", "x"),
    "e / y": ("e", "y"),
    "f": ("f",),
}


def earlier(**results: Result | None) -> list[EarlierJob]:
    """All jobs, which succeeded unless said otherwise; `a` stands for `a (1)`."""
    given = {{"a": "a (1)", "x": "e / x", "y": "e / y"}.get(k, k): v for k, v in results.items()}
    found = []
    for key, path in PATHS.items():
        result = given.get(key, Result.SUCCESS)
        found.append(EarlierJob(key, path, None if result is None else JobFinished(key, result)))
    return found


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("a (1)", {"a (1)", "b", "c"}),
        ("A", {"a (1)", "a (2)", "b", "c"}),
        ("c", {"c"}),
        ("d", {"d", "e / x", "e / y", "f"}),
        ("e / x", {"e / x", "e / y", "f"}),
        ("y", {"e / y", "f"}),
        ("f", {"f"}),
    ],
)
def test_what_needs_a_job_runs_again_with_it(name: str, again: set[str]) -> None:
    """Needs are followed through jobs and calls; all else counts as it ended."""
    jobs = earlier()

    kept = find_kept(WORKFLOW, jobs, select_named(jobs, name))

    assert set(PATHS) - set(kept) == again
    assert all(end.key == key for key, end in kept.items())


def test_failed_jobs_are_those_without_success() -> None:
    """Failed, cancelled and interrupted jobs run again, skipped and successful ones do not."""
    jobs = earlier(a=Result.FAILURE, c=Result.CANCELLED, d=Result.SKIPPED, f=None, y=Result.SUCCESS)

    again = select_failed(jobs)

    assert [one.key for one in again] == ["a (1)", "c", "f"]
    assert set(find_kept(WORKFLOW, jobs, again)) == {"a (2)", "d", "e / x", "e / y"}


def test_a_job_without_an_end_is_never_kept() -> None:
    """What was interrupted runs again whatever was asked for."""
    jobs = earlier(d=None)

    assert "d" not in find_kept(WORKFLOW, jobs, select_named(jobs, "c"))


def test_no_job_has_such_a_name() -> None:
    """Neither a key nor an id: nothing is selected."""
    assert select_named(earlier(), "nobody") == []
