"""The artifact subjects of one job: what its steps name in GITHUB_ARTIFACTS, to be attested.

Source: actions/runner src/Runner.Worker/CreateArtifactsFileCommand.cs, ArtifactsListFileCommand.cs
"""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.files import FolderError, UnusableFileError, read_bounded
from windlass.lang.command_files import decode_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.artifact_subjects import Subject

LARGEST_FILE_BYTES: Final = 1 << 20
"""The most that a step may write to GITHUB_ARTIFACTS."""

MOST_SUBJECTS: Final = 500
"""How many subjects a job may have."""

RECORD: Final = "artifacts.json"
"""What a job's record has of its subjects, as GITHUB_ARTIFACTS_LIST holds them."""

_VERSION: Final = 1
_CHUNK: Final = 1 << 20
_MOST_LINKS: Final = 40
"""How many links the kernel follows, too."""


class _OddFileError(Exception):
    """What is no regular file; holds what it is."""


class ArtifactSubjects:
    """What the steps of a job have named so far, by name. Steps may run beside others."""

    def __init__(
        self, record: Path | None = None, mask: Callable[[str], str] = lambda text: text
    ) -> None:
        """Take the job's record, in which the subjects are kept, and what hides secrets there."""
        self._record = record
        self._mask = mask
        self._subjects: dict[str, Subject] = {}
        self._lock = threading.Lock()

    def describe(self) -> str:
        """Return the subjects as GITHUB_ARTIFACTS_LIST holds them: JSON, sorted by name."""
        with self._lock:
            known = sorted(self._subjects.values(), key=lambda it: it.name)
        shapes = [{"name": it.name, "digest": it.digest, "kind": it.kind} for it in known]
        whole = {"version": _VERSION, "subjects": shapes}
        return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)

    def add(self, path: str, workspace: Path, see: Callable[[Path], Path | None]) -> str | None:
        """Add what a step wrote to its file; return what is to be said of it, if anything.

        `workspace` is where the step finds it, `see` where we find a path of the step's, None for
        one that only the step's container has. An entry that is wrong leaves out all of its file.

        Raises:
            UnusableFileError: an entry is wrong, or the file too large, in the runner's words.
            OSError: the file system refused.
        """
        text = _read(path)
        if not text:
            return None
        # Imported only where there is something to read.
        from windlass.lang.artifact_subjects import read_lines

        found = [
            (number, _resolve(number, entry, workspace, see)) for number, entry in read_lines(text)
        ]
        with self._lock:
            added = sum(self._enter(number, subject) for number, subject in found)
            total = len(self._subjects)
        if not added:
            return None
        self._keep()
        return f"Captured {added} artifact subject(s) from this step (job total: {total})."

    def _enter(self, number: int, subject: Subject) -> bool:
        """Enter a subject; False for one that is there already."""
        known = self._subjects.get(subject.name)
        if known is not None:
            if known.digest == subject.digest:
                return False
            raise _refuse(
                number,
                f"Conflicting digest for artifact '{subject.name}': previously declared as "
                f"'{known.digest}', now declared as '{subject.digest}'.",
            )
        if len(self._subjects) >= MOST_SUBJECTS:
            limit = f"The job has exceeded the maximum of {MOST_SUBJECTS} declared artifacts."
            raise _refuse(number, limit)
        self._subjects[subject.name] = subject
        return True

    def _keep(self) -> None:
        """Write the subjects to the job's record, whole or not at all."""
        if self._record is None:
            return
        draft = self._record / f"{RECORD}.{threading.get_ident()}"
        text = self._mask(self.describe())
        draft.write_text(text, encoding="utf-8", errors="surrogateescape")
        draft.replace(self._record / RECORD)


def _read(path: str) -> str:
    """Return what a step wrote; a folder in place of its file is nothing, as the runner has it."""
    try:
        # Mostly empty: that is all of it.
        size = os.stat(path, follow_symlinks=False).st_size  # noqa: PTH116
        if size > LARGEST_FILE_BYTES:
            raise UnusableFileError(
                "$GITHUB_ARTIFACTS file exceeds the maximum size of "
                f"{LARGEST_FILE_BYTES >> 10} KiB (got {size >> 10} KiB)."
            )
        if not size:
            return ""
        return decode_file(read_bounded(path, LARGEST_FILE_BYTES, follow=False) or b"")
    except (FileNotFoundError, FolderError):
        return ""


def _resolve(
    number: int, entry: str, workspace: Path, see: Callable[[Path], Path | None]
) -> Subject:
    """Return the subject that an entry names; the digest of a file is computed."""
    from windlass.lang.artifact_subjects import EntryFault, Subject, parse_entry

    found = parse_entry(entry)
    if isinstance(found, Subject):
        return found
    if isinstance(found, EntryFault):
        raise _refuse(number, found.message)
    path = Path(os.path.normpath(workspace / found.path))
    try:
        outside = _follow(path, see)
        if outside is None:
            raise _refuse(
                number,
                f"absolute path '{found.path}' is not inside a volume mounted into the container "
                "and cannot be resolved",
            )
        return Subject(path.name, f"sha256:{_hash(outside)}", "file")
    except FileNotFoundError:
        where = f" (relative paths are resolved against the workspace root '{workspace}')"
        lead = "" if os.path.isabs(found.path) else where  # noqa: PTH117 - it is a text
        raise _refuse(number, f"file '{found.path}' does not exist{lead}") from None
    except _OddFileError as error:
        raise _refuse(number, f"'{found.path}' is {error}") from None


def _follow(path: Path, see: Callable[[Path], Path | None]) -> Path | None:
    """Return where we find what a path of the step leads to; None for what only its container has.

    Links lead to where they lead for the step: one in the workspace of a container does not reach
    this machine's files.
    """
    for _ in range(_MOST_LINKS):
        for above in (*reversed(path.parents), path):
            outside = see(above)
            if outside is not None and outside.is_symlink():
                rest = path.relative_to(above)
                path = Path(os.path.normpath(above.parent / outside.readlink() / rest))
                break
        else:
            return see(path)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file; never waits, as a FIFO would make us."""
    # Imported only where there is something to hash.
    import hashlib
    import stat

    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory, not a regular file" if stat.S_ISDIR(mode) else "not a regular file"
            raise _OddFileError(kind)
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _refuse(number: int, message: str) -> UnusableFileError:
    return UnusableFileError(f"Invalid $GITHUB_ARTIFACTS entry on line {number}: {message}")
