"""What is set of a repository on a server: how it is looked at, and what its branches start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

POLL_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRule:
    """What may start for some branches: the first rule whose `branches` match one decides.

    `branches` are filter patterns, as in `on.push.branches`. `workflows` are patterns for the names
    of the files that may start, `ci.yml` or `light-*.yml`. `variables` are laid over those of the
    repository: `vars.ENVIRONMENT` is then `staging` on one branch and `production` on another.
    """

    branches: tuple[str, ...]
    workflows: tuple[str, ...] = ("**",)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySettings:
    """The settings of one repository.

    With `host` its jobs may run on a runner's own machine, without a sandbox or a container.
    `poll_seconds` is how often the server looks for new commits by itself, 0 for never. With
    `public_badge` its badges are shown to everybody.
    Branches that no rule of `rules` matches start whatever their workflows say.
    """

    host: bool = False
    poll_seconds: int = POLL_SECONDS
    public_badge: bool = False
    rules: tuple[BranchRule, ...] = ()
