"""Answers from the run itself: how far it and its jobs have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.git import commit_log
from windlass.protocol.event_lines import read_event
from windlass.services.github_api import run_shapes
from windlass.services.github_api.commits import make_simple_commit
from windlass.services.github_api.people import make_user
from windlass.services.github_api.questions import answer
from windlass.services.github_api.refusals import not_found, refuse_unknown
from windlass.services.github_api.repositories import make_repository

if TYPE_CHECKING:
    from windlass.services.github_api.questions import Question
    from windlass.services.github_api.run_shapes import Course
    from windlass.services.messages import Response


def answer_run(question: Question) -> Response:
    """Answer `GET …/actions/runs/{run}`, and the same of its attempt."""
    check_run(question)
    job, links = question.job, question.links
    course, _ = _follow(question)
    sha = commit_log.find_commit([job.text("sha")], root=question.root)
    head = None if sha is None else commit_log.read_commit(sha, root=question.root)
    repository = make_repository(links)
    return answer(
        {
            **run_shapes.make_run(course, job, links),
            "actor": make_user(job.text("actor"), links),
            "triggering_actor": make_user(job.text("triggering_actor"), links),
            "repository": repository,
            "head_repository": repository,
            "head_repository_id": repository["id"],
            "head_commit": None if head is None else make_simple_commit(head),
        }
    )


def answer_jobs(question: Question) -> Response:
    """Answer `GET …/actions/runs/{run}/jobs`, and the same of its attempt.

    Jobs that wait for others are not told of before their turn comes.
    """
    check_run(question)
    _, jobs = _follow(question)
    return question.answer_page(
        list(jobs.items()),
        lambda it: run_shapes.make_job(it[0], it[1], question.job, question.links),
        "jobs",
    )


def answer_job(question: Question) -> Response:
    """Answer `GET …/actions/jobs/{job}` for a job of this run."""
    served = question.job
    _, jobs = _follow(question)
    for key, course in jobs.items():
        if str(run_shapes.name_job(served.run, served.attempt, key)) == question.names["job"]:
            return answer(run_shapes.make_job(key, course, served, question.links))
    raise not_found(f"This run has no job {question.names['job']}.")


def check_run(question: Question) -> None:
    """Let a job ask only about its own run and attempt.

    Raises:
        RequestError: it asks about another.
    """
    served = question.job
    attempt = question.names.get("attempt", str(served.attempt))
    if (question.names["run"], attempt) != (served.run, str(served.attempt)):
        raise refuse_unknown("The token of a job tells of its own run and attempt only.")


def _follow(question: Question) -> tuple[Course, dict[str, Course]]:
    told = map(read_event, question.means.read_events(question.job))
    return run_shapes.follow(it for it in told if it is not None)
