"""Sparse checkouts: which files of a tree are in the folder, by folders (cone) or patterns.

Source: https://git-scm.com/docs/git-sparse-checkout
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.git.commands import run_apart
from windlass.git.folders import make_git_folder
from windlass.git.trees import PLAIN_INDEX, scratch_index, shadow_variables
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS: Final = "info/sparse-checkout"
"""In a `.git`: what is in the folder."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """What a sparse checkout is to hold: folders, or patterns where it is no cone."""

    lines: tuple[str, ...]
    is_cone: bool

    @property
    def settings(self) -> str:
        """The lines of configuration that go with it."""
        cone = "true" if self.is_cone else "false"
        return f"[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = {cone}\n"


def make_sparse_shadow(sparse: Sparse, folder: Path, *, scratch: Path, wide: bool) -> None:
    """Make a shadow that writes only some files of each tree; its objects are those of another.

    Raises:
        GitError: git does not take these folders or patterns.
    """
    make_git_folder(
        folder, [scratch.resolve() / "objects"], bare=True, wide=wide, settings=sparse.settings
    )
    text = "".join(f"{line}\n" for line in sparse.lines)
    if not sparse.is_cone:
        (folder / PATTERNS).write_text(text, encoding="utf-8", errors="surrogateescape")
        return
    with scratch_index(folder) as index:
        variables = shadow_variables(folder, index=index, work_tree=index.parent)
        run_apart(
            [*PLAIN_INDEX, "sparse-checkout", "set", "--cone", "--stdin"],
            folder=index.parent,
            variables=variables,
            text=text.encode("utf-8", "surrogateescape"),
        )
