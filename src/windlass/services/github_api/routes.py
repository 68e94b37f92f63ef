"""Which question is answered by whom: the paths of GitHub's REST API that are known here.

Source: https://docs.github.com/en/rest, and the OpenAPI description behind it.
"""

from __future__ import annotations

import base64
import functools
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from windlass.services.github_api import (
    artifact_answers,
    event_answers,
    refusals,
    repository_answers,
    run_answers,
)
from windlass.services.github_api.links import Links
from windlass.services.github_api.questions import Question, answer
from windlass.services.github_api.serving import API_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.catalogue import Means
    from windlass.services.jobs import ServedJob
    from windlass.services.messages import Request, Response
    from windlass.services.tokens import Tokens

    Answer = Callable[[Question], Response]

_READING: Final = ("GET", "HEAD")
_REPOSITORY: Final = re.compile(r"/repos/(?P<name>[^/]+/[^/]+)")

_ROUTES: Final[tuple[tuple[str, Answer], ...]] = (
    ("", repository_answers.answer_repository),
    ("/commits", repository_answers.answer_commits),
    ("/commits/{ref+}/pulls", event_answers.answer_commit_pulls),
    ("/commits/{ref+}", repository_answers.answer_commit),
    ("/compare/{base+}...{head+}", repository_answers.answer_comparison),
    ("/branches", repository_answers.answer_branches),
    ("/branches/{branch+}", repository_answers.answer_branch),
    ("/tags", repository_answers.answer_tags),
    ("/contents", repository_answers.answer_contents),
    ("/contents/{path*}", repository_answers.answer_contents),
    ("/readme", repository_answers.answer_readme),
    ("/git/ref/{ref+}", repository_answers.answer_reference),
    ("/git/matching-refs/{ref*}", repository_answers.answer_matching_references),
    ("/git/commits/{sha}", repository_answers.answer_git_commit),
    ("/git/trees/{sha+}", repository_answers.answer_git_tree),
    ("/git/blobs/{sha}", repository_answers.answer_git_blob),
    ("/git/tags/{sha}", repository_answers.answer_git_tag),
    ("/pulls", event_answers.answer_pulls),
    ("/pulls/{number}", event_answers.answer_pull),
    ("/pulls/{number}/files", event_answers.answer_pull_files),
    ("/pulls/{number}/commits", event_answers.answer_pull_commits),
    ("/issues/{number}", event_answers.answer_issue),
    ("/issues/{number}/labels", event_answers.answer_issue_labels),
    ("/actions/runs/{run}", run_answers.answer_run),
    ("/actions/runs/{run}/jobs", run_answers.answer_jobs),
    ("/actions/runs/{run}/attempts/{attempt}", run_answers.answer_run),
    ("/actions/runs/{run}/attempts/{attempt}/jobs", run_answers.answer_jobs),
    ("/actions/jobs/{job}", run_answers.answer_job),
    ("/actions/runs/{run}/artifacts", artifact_answers.answer_run_artifacts),
    ("/actions/artifacts", artifact_answers.answer_artifacts),
    ("/actions/artifacts/{artifact}", artifact_answers.answer_artifact),
    ("/actions/artifacts/{artifact}/zip", artifact_answers.answer_archive),
)
"""Paths behind `/repos/{owner}/{repo}`; the first that fits counts."""

_KEPT_BACK: Final = re.compile(
    r"/commits/.+/(?:status|statuses|check-runs|check-suites|comments|branches-where-head)"
    r"|/branches/.+/(?:protection(?:/.*)?|rename)",
    re.DOTALL,
)
"""Paths that only GitHub can answer and that would be taken for a branch with such a name."""

_PARTS: Final = {"": "[^/]+", "+": ".+", "*": ".*"}


def list_paths() -> list[str]:
    """Return the paths behind `/repos/{owner}/{repo}` that are answered, as GitHub writes them."""
    return [re.sub(r"[+*]\}", "}", template) or "/" for template, _ in _ROUTES]


def answer_request(request: Request, tokens: Tokens, means: Means) -> Response:
    """Answer one request.

    Raises:
        RequestError: it cannot be answered; in GitHub's shape.
    """
    path = request.path.removeprefix(API_PATH)
    token = read_token(request.headers.get("authorization", ""))
    found = tokens.find_for_api(token) if token else "The request has no token."
    if isinstance(found, str):
        raise refusals.bad_credentials(found)
    if path == "/rate_limit" and request.method in _READING:
        return answer(_make_rate_limit())
    rest = _find_rest(path, found.text("repository"))
    if rest is None:
        raise refusals.refuse_route(request.method, path)
    route = _find_route(rest) if request.method in _READING else None
    if route is None:
        raise refusals.refuse_route(request.method, path)
    give, names = route
    return give(_make_question(request, means, found, names))


def _find_rest(path: str, own: str) -> str | None:
    """Return what a path has behind the run's own repository; None where it names none.

    Raises:
        RequestError: it names another one.
    """
    prefix = f"/repos/{own}/"
    if f"{path}/".lower().startswith(prefix.lower()):
        return path[len(prefix) - 1 :].removesuffix("/")
    other = _REPOSITORY.match(path)
    if other is None:
        return None
    raise refusals.refuse_repository(other["name"], own)


def _make_question(
    request: Request, means: Means, job: ServedJob, names: dict[str, str]
) -> Question:
    links = Links(request.origin + API_PATH, job.text("server_url"), job.text("repository"))
    return Question(
        job=job,
        links=links,
        means=means,
        origin=request.origin,
        names=names,
        query=request.query,
        accept=request.headers.get("accept", ""),
        address=request.origin + quote(request.path, errors="surrogateescape"),
    )


def read_token(authorization: str) -> str:
    """Return the token of a header `Authorization`: as a bearer's, as `token`, or as a password."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except ValueError:
        return ""


def _find_route(rest: str) -> tuple[Answer, dict[str, str]] | None:
    """Return who answers a path behind that of the repository, and the parts it leaves open."""
    if _KEPT_BACK.fullmatch(rest):
        return None
    for pattern, give in _compile_routes():
        match = pattern.fullmatch(rest)
        if match is not None:
            return give, match.groupdict()
    return None


@functools.cache
def _compile_routes() -> tuple[tuple[re.Pattern[str], Answer], ...]:
    return tuple((_compile(template), give) for template, give in _ROUTES)


def _compile(template: str) -> re.Pattern[str]:
    """Return what fits a template.

    `{name}` is one part of a path, `{name+}` one or more of them, `{name*}` any number.
    """
    pieces = re.split(r"\{(\w+)([+*]?)\}", template)
    text = re.escape(pieces[0])
    for name, extent, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        text += f"(?P<{name}>{_PARTS[extent]}){re.escape(literal)}"
    return re.compile(text, re.DOTALL)


def _make_rate_limit() -> dict[str, object]:
    """Return GitHub's `rate-limit-overview`; nothing is limited here."""
    rate = {"limit": 5000, "remaining": 5000, "reset": 0, "used": 0}
    return {"resources": {"core": rate, "search": rate}, "rate": rate}


def refuse_graphql(request: Request) -> Response:
    """Refuse a question in GraphQL, in the shape of its errors."""
    error = refusals.refuse_unknown("Windlass does not answer GraphQL.")
    if request.method != "POST":
        raise error
    return answer({"data": None, "errors": [{"type": "FORBIDDEN", "message": error.message}]})
