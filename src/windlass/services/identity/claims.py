"""What an identity token says of a job: GitHub's claims, pure.

Source: https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value

EARLY_SECONDS: Final = 600
LIFE_SECONDS: Final = 300
"""As GitHub's: valid from ten minutes before it is issued until five minutes after."""

_COPIED: Final = (
    *("ref", "sha", "repository", "repository_owner", "repository_owner_id", "run_id"),
    *("run_number", "run_attempt", "repository_visibility", "repository_id", "actor_id", "actor"),
    *("workflow", "head_ref", "base_ref", "event_name", "ref_protected", "ref_type"),
    *("workflow_ref", "workflow_sha"),
)
"""The claims that are keys of the `github` context too."""

CLAIMS: Final = (
    *("sub", "aud", "exp", "iat", "iss", "jti", "nbf", *_COPIED),
    *("environment", "job_workflow_ref", "job_workflow_sha", "runner_environment"),
)
"""All claims that a token may have; `environment` is there for a job that has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The job that a token speaks of.

    `github` is its context; `workflow_path` is the file that the job itself stands in, which for a
    job of a called workflow is not that of the run: `OWNER/NAME/PATH@REF`, read from the commit
    `workflow_sha`, where it is one of another repository. `environment` is None where it has none.
    """

    github: Mapping[str, Value]
    workflow_path: str
    workflow_sha: str = ""
    environment: str | None = None


def make_claims(
    identity: Identity, *, issuer: str, audience: str, token_id: str, now: int
) -> dict[str, str | int]:
    """Return the claims of one token; an empty audience is the address of the owner."""
    github = identity.github
    claims: dict[str, str | int] = {
        "jti": token_id,
        "sub": make_subject(identity),
        "aud": audience or f"{_text(github, 'server_url')}/{_text(github, 'repository_owner')}",
        **{name: _text(github, name) for name in _COPIED},
        "job_workflow_ref": _name_workflow(identity),
        "job_workflow_sha": identity.workflow_sha or _text(github, "workflow_sha"),
        "runner_environment": "self-hosted",
        "iss": issuer,
        "nbf": now - EARLY_SECONDS,
        "exp": now + LIFE_SECONDS,
        "iat": now,
    }
    if identity.environment is not None:
        claims["environment"] = identity.environment
    return claims


def make_subject(identity: Identity) -> str:
    """Return what trust policies look at: the repository, and the environment, event or ref.

    A colon within a value is written `%3A`.
    """
    github = identity.github
    if identity.environment is not None:
        context = f"environment:{_escape(identity.environment)}"
    elif _text(github, "event_name") == "pull_request":
        context = "pull_request"
    else:
        context = f"ref:{_escape(_text(github, 'ref'))}"
    return f"repo:{_escape(_text(github, 'repository'))}:{context}"


def _name_workflow(identity: Identity) -> str:
    if identity.workflow_sha:
        return identity.workflow_path
    github = identity.github
    return f"{_text(github, 'repository')}/{identity.workflow_path}@{_text(github, 'ref')}"


def _escape(text: str) -> str:
    return text.replace(":", "%3A")


def _text(github: Mapping[str, Value], name: str) -> str:
    value = github.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
