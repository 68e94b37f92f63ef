"""What is not answered here, in GitHub's shape of an error, with what to do about it.

What Windlass cannot know is refused with 403 and never with 404: that would say that GitHub does
not have it. 404 is for what the repository, the event or the run certainly do not have.
"""

from __future__ import annotations

from typing import Final

from windlass.services.messages import RequestError

REMEDY: Final = (
    "Give a token to let jobs ask GitHub itself: --secret GITHUB_TOKEN, or --github-token for that "
    "of `gh`."
)
DOCUMENTATION: Final = "https://docs.github.com/rest"
_LIMITS: Final = (
    "The token of this job is Windlass's own: it is for reading what is known here of the "
    "repository, the event and the run."
)


def refuse(status: int, message: str) -> RequestError:
    """Return an error as GitHub's `basic-error`."""
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return RequestError(status, message, body=body)


def refuse_route(method: str, path: str) -> RequestError:
    """Return the error for what is not answered at all."""
    return refuse_unknown(f"Windlass does not answer {method} {path}. {_LIMITS}")


def refuse_unknown(reason: str) -> RequestError:
    """Return the error for what only GitHub knows; `reason` is a sentence."""
    return refuse(403, f"Resource not accessible by integration. {reason} {REMEDY}")


def refuse_repository(name: str, own: str) -> RequestError:
    """Return the error for a repository that is not the run's."""
    return refuse_unknown(f"Windlass answers for {own} and not for {name}.")


def not_found(what: str) -> RequestError:
    """Return the error for what is certainly not there; `what` begins a sentence."""
    return refuse(404, f"Not Found. {what}")


def bad_credentials(reason: str) -> RequestError:
    """Return the error for a token that is none."""
    return refuse(401, f"Bad credentials. {reason}")


def bad_value(name: str, expected: str) -> RequestError:
    """Return the error for a part of the query that cannot be read."""
    return refuse(422, f"Validation Failed. The parameter `{name}` must be {expected}.")
