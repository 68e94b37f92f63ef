"""What an identity token says: the claims and subjects of GitHub's page on OpenID Connect."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.services.identity.claims import CLAIMS, Identity, make_claims, make_subject

GITHUB: dict[str, Any] = {
    "ref": "refs/heads/main",
    "sha": "0123456789012345678901234567890123456789",
    "repository": "octo-org/octo-repo",
    "repository_owner": "octo-org",
    "repository_owner_id": "65",
    "repository_id": "74",
    "repository_visibility": "private",
    "run_id": "4711",
    "run_number": "10",
    "run_attempt": "2",
    "actor": "octocat",
    "actor_id": "12",
    "workflow": "example-workflow",
    "workflow_ref": "octo-org/octo-repo/.github/workflows/oidc.yml@refs/heads/main",
    "workflow_sha": "0123456789012345678901234567890123456789",
    "head_ref": "",
    "base_ref": "",
    "event_name": "workflow_dispatch",
    "ref_type": "branch",
    "ref_protected": False,
    "server_url": "https://github.com",
    "event": {"inputs": None},
}
OIDC_FILE = ".github/workflows/oidc.yml"


def identify(environment: str | None = None, **github: Any) -> Identity:
    return Identity(github={**GITHUB, **github}, workflow_path=OIDC_FILE, environment=environment)


def claim(identity: Identity, audience: str = "") -> dict[str, str | int]:
    return make_claims(
        identity, issuer="http://127.0.0.1:1", audience=audience, token_id="id", now=1_632_493_567
    )


def test_claims() -> None:
    """A token has the claims of GitHub's example, with its times and its strings."""
    assert claim(identify("prod")) == {
        "jti": "id",
        "sub": "repo:octo-org/octo-repo:environment:prod",
        "environment": "prod",
        "aud": "https://github.com/octo-org",
        "ref": "refs/heads/main",
        "sha": "0123456789012345678901234567890123456789",
        "repository": "octo-org/octo-repo",
        "repository_owner": "octo-org",
        "actor_id": "12",
        "repository_visibility": "private",
        "repository_id": "74",
        "repository_owner_id": "65",
        "run_id": "4711",
        "run_number": "10",
        "run_attempt": "2",
        "runner_environment": "self-hosted",
        "actor": "octocat",
        "workflow": "example-workflow",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/oidc.yml@refs/heads/main",
        "workflow_sha": "0123456789012345678901234567890123456789",
        "head_ref": "",
        "base_ref": "",
        "event_name": "workflow_dispatch",
        "ref_type": "branch",
        "ref_protected": "false",
        "job_workflow_ref": "octo-org/octo-repo/.github/workflows/oidc.yml@refs/heads/main",
        "job_workflow_sha": "0123456789012345678901234567890123456789",
        "iss": "http://127.0.0.1:1",
        "nbf": 1_632_492_967,
        "exp": 1_632_493_867,
        "iat": 1_632_493_567,
    }


def test_claims_are_announced() -> None:
    """Discovery lists every claim; only `environment` depends on the job."""
    assert set(claim(identify("prod"))) == set(CLAIMS)
    assert set(CLAIMS) - set(claim(identify())) == {"environment"}


def test_audience() -> None:
    """Who asks may name the audience; else it is the owner's address."""
    assert claim(identify(), "sts.amazonaws.com")["aud"] == "sts.amazonaws.com"


def test_called_workflow() -> None:
    """`job_workflow_ref` names the file the job stands in, `workflow_ref` that of the run."""
    called = Identity(github=GITHUB, workflow_path=".github/workflows/called.yml")
    claims = claim(called)
    assert claims["job_workflow_ref"] == (
        "octo-org/octo-repo/.github/workflows/called.yml@refs/heads/main"
    )
    assert claims["workflow_ref"] == GITHUB["workflow_ref"]


def test_workflow_of_another_repository() -> None:
    """`job_workflow_ref` is what was called, `job_workflow_sha` the commit it was read from."""
    path = "octo-org/octo-automation/.github/workflows/oidc.yml@v1"
    claims = claim(Identity(github=GITHUB, workflow_path=path, workflow_sha="f" * 40))
    assert (claims["job_workflow_ref"], claims["job_workflow_sha"]) == (path, "f" * 40)
    assert claims["sub"] == "repo:octo-org/octo-repo:ref:refs/heads/main"


@pytest.mark.parametrize(
    ("identity", "subject"),
    [
        pytest.param(
            identify("Production"), "repo:octo-org/octo-repo:environment:Production", id="place"
        ),
        pytest.param(
            identify("Production:V1"),
            "repo:octo-org/octo-repo:environment:Production%3AV1",
            id="colon",
        ),
        pytest.param(
            identify("prod", event_name="pull_request"),
            "repo:octo-org/octo-repo:environment:prod",
            id="place-before-pull-request",
        ),
        pytest.param(
            identify(event_name="pull_request", ref="refs/pull/7/merge"),
            "repo:octo-org/octo-repo:pull_request",
            id="pull-request",
        ),
        pytest.param(
            identify(event_name="pull_request_target"),
            "repo:octo-org/octo-repo:ref:refs/heads/main",
            id="pull-request-target",
        ),
        pytest.param(
            identify(ref="refs/heads/demo-branch"),
            "repo:octo-org/octo-repo:ref:refs/heads/demo-branch",
            id="branch",
        ),
        pytest.param(
            identify(ref="refs/tags/demo-tag", ref_type="tag"),
            "repo:octo-org/octo-repo:ref:refs/tags/demo-tag",
            id="tag",
        ),
    ],
)
def test_subject(identity: Identity, subject: str) -> None:
    """The subject names the environment, else a pull request, else the ref."""
    assert make_subject(identity) == subject
