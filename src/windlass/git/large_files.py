"""Files kept by Git LFS: their content, from what the user has downloaded.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError
from windlass.git.commands import run_apart
from windlass.git.index import LINK, SUBMODULE, GitIndex
from windlass.git.trees import shadow_variables

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_POINTER: Final = 1024
_POINTER: Final = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?:ext-.*\n)*"
    rb"oid sha256:(?P<id>[0-9a-f]{64})\nsize (?P<size>[0-9]+)\n"
)


def fetch_large_files(files: Path, index: Path, store: Path, *, scratch: Path, wide: bool) -> None:
    """Put the content of Git LFS in the place of its pointers, in a folder git has just written.

    `index` is git's index of the folder; it gets the facts of what was put. `store` is the user's
    `.git/lfs`.

    Raises:
        GitError: the user does not have the content of a file.
        OSError: a file cannot be written.
    """
    known = GitIndex(index.read_bytes(), wide=wide)
    entries = {
        entry.name: entry
        for entry in known.entries()
        if entry.mode not in (LINK, SUBMODULE) and not entry.is_absent
    }
    answer = run_apart(
        ["check-attr", "-z", "--stdin", "filter"],
        folder=files,
        variables=shadow_variables(scratch, index=index, work_tree=files),
        text=b"".join(name + b"\0" for name in entries),
    )
    fields = answer.split(b"\0")
    for name, value in zip(fields[::3], fields[2::3], strict=False):
        if value == b"lfs":
            path = files / os.fsdecode(name)
            if _replace(path, os.fsdecode(name), store):
                known.put_facts(entries[name], path.stat())
    index.write_bytes(known.to_bytes())


def _replace(path: Path, name: str, store: Path) -> bool:
    """Replace a pointer by what it points to; anything else is left as it is."""
    if path.stat().st_size > LONGEST_POINTER:
        return False
    pointer = _POINTER.fullmatch(path.read_bytes())
    if pointer is None:
        return False
    id_ = pointer["id"].decode("ascii")
    content = store / "objects" / id_[:2] / id_[2:4] / id_
    if not content.is_file() or content.stat().st_size != int(pointer["size"]):
        raise GitError(
            f"the content of '{name}', which Git LFS keeps, is not on this machine",
            hint="git lfs fetch downloads it",
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    path.unlink()
    shutil.copyfile(content, path)
    path.chmod(mode)
    return True
