"""Removing from a shadow the objects of trees that nobody needs any more."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError
from windlass.git.commands import ask, decode, run_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

YOUNG_SECONDS: Final = 3_600
"""Younger objects stay: a tree that is just being made is not known by name yet. Git lets an old
object count as young again when it is needed once more."""


def prune_shadow(scratch: Path, trees: Iterable[str], *, dry_run: bool = False) -> int:
    """Remove old objects that none of some trees needs; return how many bytes that frees.

    `scratch` is where `windlass.git.trees.write_tree` leaves objects; others may write there
    meanwhile. A tree that is not there any more, or not whole, does not keep what is left of it.

    Raises:
        GitError: git is missing or failed.
    """
    young = time.time() - YOUNG_SECONDS
    if not any(moment < young for _, _, moment in _list_objects(scratch)):
        return 0
    roots = sorted(set(trees))
    try:
        unneeded = _prune(scratch, roots, "--dry-run")
    except GitError:
        roots = [tree for tree in roots if _is_whole(scratch, tree)]
        unneeded = _prune(scratch, roots, "--dry-run")
    freed = sum(size for name, size, _ in _list_objects(scratch) if name in unneeded)
    if unneeded and not dry_run:
        _prune(scratch, roots)
    return freed


def _prune(scratch: Path, roots: Sequence[str], *options: str) -> frozenset[str]:
    """Have git remove what the roots do not need; with `--dry-run` return the names of that."""
    expire = f"--expire={YOUNG_SECONDS}.seconds.ago"
    told = run_apart(["prune", *options, expire, "--", *roots], folder=scratch)
    return frozenset(line.split(" ")[0] for line in decode(told).splitlines())


def _is_whole(scratch: Path, tree: str) -> bool:
    question = ["rev-list", "--objects", "--quiet", tree, "--"]
    return ask(question, folder=scratch, variables={"GIT_DIR": str(scratch)}).answer().code == 0


def _list_objects(scratch: Path) -> Iterator[tuple[str, int, float]]:
    """Yield the loose objects: names, bytes on the disk, and when they were needed last."""
    with suppress(FileNotFoundError), os.scandir(scratch / "objects") as folders:
        for folder in folders:
            if len(folder.name) != len("00"):
                continue
            with suppress(FileNotFoundError), os.scandir(folder.path) as files:
                for file in files:
                    facts = file.stat(follow_symlinks=False)
                    yield folder.name + file.name, facts.st_blocks * 512, facts.st_mtime
