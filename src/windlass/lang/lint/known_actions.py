"""GitHub's own actions: their inputs, and the versions that no longer work.

Sources: the action.yml of each action at its newest version, and
https://github.blog/changelog/2024-04-16-deprecation-notice-v3-of-the-artifact-actions/ and
https://github.blog/changelog/2024-12-05-notice-of-upcoming-releases-and-breaking-changes-for-github-actions/
"""

from __future__ import annotations

import re

from windlass.model.values import dataclass

_USES = re.compile(r"(?P<name>[^@]+)@(?P<ref>.+)")
_MAJOR = re.compile(r"v?(?P<major>\d+)(?:\.\d+)*")

# Inputs by action; `!` marks a required one. They are those of all majors that still work.
_INPUTS = {
    "actions/checkout": (
        "repository ref token ssh-key ssh-known-hosts ssh-strict ssh-user persist-credentials path"
        " clean filter sparse-checkout sparse-checkout-cone-mode fetch-depth fetch-tags"
        " show-progress lfs submodules set-safe-directory github-server-url"
        " allow-unsafe-pr-checkout"
    ),
    "actions/setup-node": (
        "always-auth node-version node-version-file architecture check-latest registry-url scope"
        " token cache cache-dependency-path mirror mirror-token package-manager-cache"
    ),
    "actions/setup-python": (
        "python-version python-version-file cache architecture check-latest token"
        " cache-dependency-path update-environment allow-prereleases freethreaded pip-version"
        " pip-install"
    ),
    "actions/setup-go": (
        "go-version go-version-file check-latest token cache cache-dependency-path architecture"
        " go-download-base-url"
    ),
    "actions/setup-java": (
        "java-version java-version-file distribution! java-package architecture jdkFile"
        " check-latest server-id server-username server-password settings-path"
        " overwrite-settings gpg-private-key gpg-passphrase cache cache-dependency-path job-status"
        " token mvn-toolchain-id mvn-toolchain-vendor set-default"
    ),
    "actions/upload-artifact": (
        "name path! if-no-files-found retention-days compression-level overwrite"
        " include-hidden-files archive"
    ),
    "actions/download-artifact": (
        "name artifact-ids path pattern merge-multiple github-token repository run-id"
        " skip-decompress digest-mismatch"
    ),
    "actions/cache": (
        "path! key! restore-keys upload-chunk-size enableCrossOsArchive fail-on-cache-miss"
        " lookup-only save-always"
    ),
    "actions/cache/restore": (
        "path! key! restore-keys enableCrossOsArchive fail-on-cache-miss lookup-only"
    ),
    "actions/cache/save": "path! key! upload-chunk-size enableCrossOsArchive",
    "actions/github-script": (
        "script! github-token debug user-agent previews result-encoding retries"
        " retry-exempt-status-codes base-url"
    ),
    "actions/labeler": "repo-token configuration-path sync-labels dot pr-number",
}

_OUTPUTS = {
    "actions/checkout": "ref commit",
    "actions/setup-node": "cache-hit node-version",
    "actions/setup-python": "python-version cache-hit python-path",
    "actions/setup-go": "go-version cache-hit",
    "actions/upload-artifact": "artifact-id artifact-url artifact-digest",
    "actions/download-artifact": "download-path",
    "actions/cache": "cache-hit cache-primary-key cache-matched-key",
    "actions/cache/restore": "cache-hit cache-primary-key cache-matched-key",
    "actions/deploy-pages": "page_url",
    "docker/build-push-action": "imageid digest metadata",
}
"""Outputs by action, for actions that set no others."""

# The newest major that no longer works at all, and the one that works.
_REFUSED = {
    "actions/upload-artifact": (3, 4),
    "actions/download-artifact": (3, 4),
    "actions/cache": (2, 4),
    "actions/cache/restore": (2, 4),
    "actions/cache/save": (2, 4),
    "actions/upload-pages-artifact": (2, 3),
    "actions/deploy-pages": (3, 4),
}
# The newest major that was made for Node 12 or Node 16, and the one that was not.
_OLD_NODE = {
    "actions/checkout": (3, 4),
    "actions/setup-node": (3, 4),
    "actions/setup-python": (4, 5),
    "actions/setup-go": (4, 5),
    "actions/setup-java": (3, 4),
    "actions/setup-dotnet": (3, 4),
    "actions/github-script": (6, 7),
    "actions/labeler": (4, 5),
    "actions/stale": (8, 9),
    "actions/cache": (3, 4),
    "docker/build-push-action": (4, 5),
    "docker/login-action": (2, 3),
    "docker/metadata-action": (4, 5),
    "docker/setup-buildx-action": (2, 3),
    "docker/setup-qemu-action": (2, 3),
    "codecov/codecov-action": (3, 4),
    "github/codeql-action/init": (2, 3),
    "github/codeql-action/analyze": (2, 3),
    "github/codeql-action/autobuild": (2, 3),
    "github/codeql-action/upload-sarif": (2, 3),
    "softprops/action-gh-release": (1, 2),
    "peter-evans/create-pull-request": (5, 6),
}


@dataclass(frozen=True, slots=True)
class Outdated:
    """Why a version is outdated, what replaces it, and whether GitHub refuses it."""

    reason: str
    replacement: str
    is_refused: bool


def find_known_action(uses: str) -> dict[str, bool] | None:
    """Return a known action's inputs in lower case, each with whether it must be given."""
    found = _USES.fullmatch(uses)
    inputs = _INPUTS.get(found["name"].lower()) if found else None
    if not inputs or find_outdated(uses) is not None:
        return None
    return {name.rstrip("!").lower(): name.endswith("!") for name in inputs.split()}


def find_known_outputs(uses: str) -> tuple[str, ...] | None:
    """Return the outputs of a known action, or None."""
    names = _OUTPUTS.get(uses.partition("@")[0].lower())
    return tuple(names.split()) if names is not None else None


def find_outdated(uses: str) -> Outdated | None:
    """Return what is outdated about a version, or None; a commit's hash says nothing."""
    found = _USES.fullmatch(uses)
    major = _MAJOR.fullmatch(found["ref"]) if found else None
    if found is None or major is None:
        return None
    name, number = found["name"].lower(), int(major["major"])
    refused, working = _REFUSED.get(name, (-1, 0))
    if number <= refused:
        replacement = f"`{name}@v{working}` or newer"
        return Outdated("no longer works: GitHub has closed its service", replacement, True)  # noqa: FBT003
    old, modern = _OLD_NODE.get(name, (-1, 0))
    if number <= old:
        replacement = f"`{name}@v{modern}` or newer"
        return Outdated("was made for a Node that runners no longer have", replacement, False)  # noqa: FBT003
    return None
