"""Where the actions and workflows of other repositories are taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSources:
    """What a user has said about actions of other repositories.

    `folders` maps `owner/name`, or `owner/name@ref`, to a folder of this machine that stands in for
    it. `urls` are the beginnings of URLs below which repositories are looked for, in this order;
    without any these are the server of the repository itself and github.com. `pins` says by
    `owner/name@ref` which commit a ref is. With `offline` no remote is asked.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False
