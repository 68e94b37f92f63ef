"""What goes of the objects of uncommitted files, and what stays."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from windlass.errors import GitError
from windlass.git.shadow_pruning import YOUNG_SECONDS, prune_shadow
from windlass.git.trees import materialise_tree, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.git.conftest import Checkout

NOWHERE = "1" * 40


def write(checkout: Checkout, scratch: Path, text: str) -> str:
    """Return the tree of the working tree with a file of a certain text."""
    checkout.write("d/note.txt", text)
    return write_tree(checkout.path, committed_only=False, scratch=scratch)


def list_objects(scratch: Path) -> list[Path]:
    return [path for path in scratch.glob("objects/??/*") if path.is_file()]


def age(scratch: Path, seconds: float = 2 * YOUNG_SECONDS) -> None:
    """Have all objects be older than they are."""
    moment = time.time() - seconds
    for path in list_objects(scratch):
        os.utime(path, (moment, moment))


def is_whole(tree: str, scratch: Path, place: Path) -> bool:
    try:
        materialise_tree(tree, place / tree, scratch=scratch)
    except GitError:
        return False
    return (place / tree / "d" / "note.txt").exists()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def test_what_no_tree_needs_goes(checkout: Checkout, scratch: Path, tmp_path: Path) -> None:
    """Trees that are named stay whole; a dry run says what the others take and leaves it."""
    kept, old = write(checkout, scratch, "kept\n"), write(checkout, scratch, "old\n")
    age(scratch)
    before = list_objects(scratch)

    freed = prune_shadow(scratch, [kept], dry_run=True)
    assert list_objects(scratch) == before
    assert prune_shadow(scratch, [kept]) == freed
    gone = set(before) - set(list_objects(scratch))

    assert len(gone) == 3  # the file, its folder, the tree
    assert freed >= len(gone)
    assert is_whole(kept, scratch, tmp_path)
    assert not is_whole(old, scratch, tmp_path)
    assert prune_shadow(scratch, [kept]) == 0


def test_what_is_young_stays(checkout: Checkout, scratch: Path, tmp_path: Path) -> None:
    """A run that goes on may be making its tree, of old objects too."""
    again = write(checkout, scratch, "again\n")
    age(scratch)
    write(checkout, scratch, "other\n")
    assert write(checkout, scratch, "again\n") == again
    young = write(checkout, scratch, "young\n")

    prune_shadow(scratch, [])

    assert is_whole(again, scratch, tmp_path)
    assert is_whole(young, scratch, tmp_path)


def test_trees_that_are_not_whole(checkout: Checkout, scratch: Path, tmp_path: Path) -> None:
    """What is missing, in the user's repository or here, does not keep the rest from going."""
    kept = write(checkout, scratch, "kept\n")
    broken, old = write(checkout, scratch, "broken\n"), write(checkout, scratch, "old\n")
    folder = checkout.git("--git-dir", str(scratch), "rev-parse", f"{broken}:d")
    (scratch / "objects" / folder[:2] / folder[2:]).unlink()
    age(scratch)

    assert prune_shadow(scratch, [kept, broken, NOWHERE]) > 0

    assert is_whole(kept, scratch, tmp_path)
    assert not is_whole(old, scratch, tmp_path)


def test_there_is_no_shadow(scratch: Path) -> None:
    """Runs without changes make none."""
    assert prune_shadow(scratch, [NOWHERE]) == 0
    assert not scratch.exists()


def test_the_users_objects_stay(checkout: Checkout, scratch: Path) -> None:
    """The repository that the shadow borrows from is only read."""
    write(checkout, scratch, "old\n")
    age(scratch)
    before = checkout.fingerprint()

    assert prune_shadow(scratch, []) > 0
    assert checkout.fingerprint() == before
