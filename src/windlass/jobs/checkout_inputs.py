"""What a step asks `actions/checkout` for.

Source: https://github.com/actions/checkout action.yml, src/input-helper.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.git.sparse import Sparse
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

HONOURED: Final = frozenset(
    {
        "clean",
        "fetch-depth",
        "fetch-tags",
        "github-server-url",
        "lfs",
        "path",
        "ref",
        "repository",
        "sparse-checkout",
        "sparse-checkout-cone-mode",
        "ssh-key",
        "ssh-known-hosts",
        "ssh-strict",
        "ssh-user",
        "submodules",
        "token",
    }
)
"""Inputs that decide what is checked out, or how another repository is reached."""

WITHOUT_EFFECT: Final = frozenset(
    {
        "allow-unsafe-pr-checkout",
        "filter",
        "persist-credentials",
        "set-safe-directory",
        "show-progress",
    }
)
"""Inputs about what is saved on the way, or what is left behind: here, nothing ever is."""


class CheckoutError(Exception):
    """This checkout is not possible: the step fails with this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutInputs:
    """The inputs with a meaning here; an empty text is one that was not given.

    `fetch_depth` is how many commits are wanted, 0 for all of all branches. `submodules` says
    `true` or `recursive` where they are wanted.
    """

    repository: str
    ref: str
    path: str
    clean: bool
    sparse: Sparse | None
    fetch_depth: int
    fetch_tags: bool
    lfs: bool
    submodules: str
    server_url: str
    token: str
    ssh_key: str
    ssh_known_hosts: str
    ssh_strict: bool
    ssh_user: str
    unexpected: tuple[str, ...]


def read_inputs(inputs: Mapping[str, str]) -> CheckoutInputs:
    """Read the inputs of a step, with the defaults of the action."""
    given = {name.lower(): value.strip() for name, value in inputs.items()}
    submodules = given.get("submodules", "").lower()
    return CheckoutInputs(
        repository=given.get("repository", ""),
        ref=given.get("ref", ""),
        path=given.get("path", ""),
        clean=_is_true(given.get("clean") or "true"),
        sparse=_read_sparse(given),
        fetch_depth=_read_depth(given.get("fetch-depth") or "1"),
        fetch_tags=_is_true(given.get("fetch-tags", "")),
        lfs=_is_true(given.get("lfs", "")),
        submodules=submodules if submodules in ("true", "recursive") else "",
        server_url=given.get("github-server-url", "").rstrip("/"),
        token=given.get("token", ""),
        ssh_key=given.get("ssh-key", ""),
        ssh_known_hosts=given.get("ssh-known-hosts", ""),
        ssh_strict=_is_true(given.get("ssh-strict") or "true"),
        ssh_user=given.get("ssh-user") or "git",
        unexpected=tuple(name for name in given if name not in HONOURED | WITHOUT_EFFECT),
    )


def describe_unexpected(names: tuple[str, ...]) -> str:
    """Return the warning of GitHub's runner for inputs that an action does not have."""
    valid = "', '".join(sorted(HONOURED | WITHOUT_EFFECT))
    found = "', '".join(names)
    return f"Unexpected input(s) '{found}', valid inputs are ['{valid}']"


def _read_sparse(given: Mapping[str, str]) -> Sparse | None:
    lines = [line.strip() for line in given.get("sparse-checkout", "").splitlines()]
    is_cone = _is_true(given.get("sparse-checkout-cone-mode") or "true")
    return Sparse(tuple(filter(None, lines)), is_cone) if any(lines) else None


def _read_depth(text: str) -> int:
    """Return a depth; the action takes what is no number for 0."""
    try:
        return max(0, int(float(text)))
    except (ValueError, OverflowError):
        return 0


def _is_true(value: str) -> bool:
    """Read a boolean input; actions/checkout takes whatever is not `true` as false."""
    return value.upper() == "TRUE"
