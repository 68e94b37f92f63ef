"""Packing what many small fetches have left in a bare repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.git.commands import NO_CONFIGURATION, ask, complain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECONDS: Final = 300
COMMAND: Final = ("gc", "--auto", "--quiet")
SETTINGS: Final = ("gc.auto=2000", "gc.autoDetach=false", "gc.packRefs=false")
"""Refs stay in files of their own: the times of some tell since when they are there."""


def pack(repository: Path, expire: str, files: Sequence[int] = ()) -> None:
    """Pack the objects of a bare repository where it is time for that.

    Those that nothing leads to are taken away when they are as old as `expire` says, in the words
    of `gc.pruneExpire`. `files` are open ones of ours that git keeps open meanwhile.

    Raises:
        GitError: git failed, or has not come to an end in time.
    """
    settings = [part for it in (*SETTINGS, f"gc.pruneExpire={expire}") for part in ("-c", it)]
    command = [*settings, *COMMAND]
    variables = {**NO_CONFIGURATION, "GIT_DIR": str(repository)}
    asked = ask(command, folder=repository, variables=variables, files=files)
    answer = asked.answer(SECONDS)
    if answer.code != 0:
        raise complain(command, answer)
