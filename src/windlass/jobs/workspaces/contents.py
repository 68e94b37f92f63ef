"""What one checkout is to hold, and how a base of it is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from windlass.git.trees import materialise_tree
from windlass.jobs.workspaces.bases import FILES, SHADOW
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.git.folders import GitFolders
    from windlass.git.sparse import Sparse
    from windlass.git.submodules import Submodule

DIGEST_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A tree, and what a checkout was asked for beyond it."""

    tree: str
    submodules: tuple[Submodule, ...] = ()
    has_large_files: bool = False
    sparse: Sparse | None = None

    @property
    def variant(self) -> str:
        """What tells this content from others of the same tree; empty for the tree alone."""
        if not (self.submodules or self.has_large_files or self.sparse):
            return ""
        import hashlib

        modules = [(module.path, module.sha) for module in self.submodules]
        sparse = (self.sparse.is_cone, self.sparse.lines) if self.sparse else None
        wish = repr((modules, self.has_large_files, sparse))
        digest = hashlib.sha256(wish.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:DIGEST_LENGTH]


def write_content(
    wish: Wish, folder: Path, *, shadow: Path, folders: GitFolders
) -> tuple[str, ...]:
    """Write a base: files, and git's index of each part. Returns the folders of the parts.

    Raises:
        GitError: something of it is not on this machine, or git failed.
        OSError: it cannot be written.
    """
    files, wide = folder / FILES, folders.is_wide
    if wish.sparse is not None:
        from windlass.git.sparse import make_sparse_shadow

        make_sparse_shadow(wish.sparse, folder / SHADOW, scratch=shadow, wide=wide)
        shadow = folder / SHADOW
    _write_part(wish, wish.tree, files, folder / "0.index", shadow, folders.common, wide=wide)
    # An overlay shows it to the job, so that none needs to be written there.
    (files / ".git").mkdir()
    os.link(folder / "0.index", files / ".git/index")
    for number, module in enumerate(wish.submodules, 1):
        index = folder / f"{number}.index"
        place = files / module.path
        _write_part(wish, module.sha, place, index, module.shadow, module.common, wide=wide)
    return ("", *(module.path for module in wish.submodules))


def _write_part(
    wish: Wish, tree: str, files: Path, index: Path, shadow: Path, common: Path, *, wide: bool
) -> None:
    materialise_tree(tree, files, scratch=shadow, index=index)
    if wish.has_large_files:
        from windlass.git.large_files import fetch_large_files

        fetch_large_files(files, index, common / "lfs", scratch=shadow, wide=wide)
