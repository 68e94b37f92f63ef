"""Keeping small what the trees with the user's changes are made of: objects that no run needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.git.shadow_pruning import prune_shadow
from windlass.jobs.workspaces.bases import list_bases
from windlass.operations.pruning_stored import Removal
from windlass.stores.state_folder import BASES, SHADOW

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from windlass.operations.history import History

_TREE: Final = re.compile(r"[0-9a-f]{40,64}")


def prune_trees(
    history: History, *, gone: Collection[str] = (), dry_run: bool = False
) -> Iterator[Removal]:
    """Remove objects that neither a run needs nor a base; `gone` are runs that are removed.

    Raises:
        GitError: git is missing or failed.
    """
    shadow = history.state / SHADOW
    freed = prune_shadow(shadow, _list_trees(history, gone), dry_run=dry_run)
    if freed:
        yield Removal("objects", shadow.name, "no run and no base needs them", freed)


def _list_trees(history: History, gone: Collection[str]) -> Iterator[str]:
    for run in history.folders.ids():
        tree = None if run in gone else history.folders.attempt(run, 1).read_tree()
        if tree is not None and _TREE.fullmatch(tree):
            yield tree
    for key in list_bases(history.state / BASES):
        if found := _TREE.match(key):
            yield found[0]
