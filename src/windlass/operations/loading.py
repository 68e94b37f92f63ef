"""Loading a repository's workflows: which files there are, what each says, what cannot be read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import InputError
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.positions import Position, Span
from windlass.lang.workflow.calls import Unread
from windlass.lang.workflow.reading import read_workflow
from windlass.model.values import dataclass, field
from windlass.plan.calls import check_number_called

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.lang.workflow.model import Workflow
    from windlass.lang.workflow.result import Reading

WORKFLOW_FOLDER = Path(".github") / "workflows"
_ENDINGS = (".yml", ".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFile:
    """One workflow file that could be read from disk; `digest` is the SHA-256 of its bytes.

    `path` is relative to the repository's root, with slashes; absolute for a file outside of it.
    """

    path: str
    text: bytes
    digest: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The workflows that were asked for, in the order of their paths.

    `unreadable` says which files could not be read from disk; `digests` and `texts` are those of
    all files that took part, called workflows included, by path.
    """

    root: Path
    files: tuple[WorkflowFile, ...]
    unreadable: tuple[Diagnostic, ...] = ()
    digests: Mapping[str, str]
    texts: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def workflows(self) -> tuple[Workflow, ...]:
        """The workflows without errors."""
        found = (file.reading.workflow for file in self.files)
        return tuple(workflow for workflow in found if workflow is not None)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found while loading: what could not be read, then what each file has.

        A mistake in a called workflow is told once, though it is met in every file that calls it.
        """
        read = (finding for file in self.files for finding in file.reading.diagnostics)
        counted = filter(None, map(check_number_called, self.workflows))
        return tuple(dict.fromkeys((*self.unreadable, *read, *counted)))


def load_workflows(
    root: Path,
    chosen: Path | None = None,
    *,
    read_published: Callable[[str], bytes | Unread] | None = None,
) -> Library:
    """Read the workflows of a repository: all in `.github/workflows`, or those that are chosen.

    `chosen` is a file or a folder, absolute or relative to the current folder. `read_published`
    reads a workflow of another repository, by what `uses` says; without it these are left unread.

    Raises:
        InputError: `chosen` does not exist, or there are no workflows at all.
    """
    reader = _Reader(root, read_published)
    paths = find_workflows(root, chosen)
    outcomes = [reader.read(path) for path in paths]
    return Library(
        root=root,
        files=tuple(item for item in outcomes if isinstance(item, WorkflowFile)),
        unreadable=tuple(item for item in outcomes if isinstance(item, Diagnostic)),
        digests=reader.digests,
        texts=reader.texts,
    )


def find_workflows(root: Path, chosen: Path | None = None) -> tuple[Path, ...]:
    """Return the paths of the workflow files, sorted by name.

    Raises:
        InputError: there are none, or the folder cannot be listed.
    """
    folder = root / WORKFLOW_FOLDER if chosen is None else chosen
    if chosen is not None and not os.path.lexists(chosen):
        raise InputError(
            f"{chosen} does not exist", hint="name a workflow file or a folder of them with -W"
        )
    if chosen is not None and not chosen.is_dir():
        return (chosen,)
    if chosen is None:
        _refuse_links(root)
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(_ENDINGS))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror}") from error
    if not names:
        raise InputError(
            f"there are no workflows in {folder}",
            hint="a workflow is a .yml or .yaml file there; -W names another place",
        )
    return tuple(folder / name for name in names)


def _refuse_links(root: Path) -> None:
    """Refuse a folder of workflows behind a symbolic link: for Git, and so for GitHub, it is none.

    Raises:
        InputError: `.github` or `.github/workflows` is such a link.
    """
    for folder in (root / ".github", root / WORKFLOW_FOLDER):
        if folder.is_symlink():
            raise InputError(
                f"{folder} is a symbolic link, and GitHub looks for no workflows behind one",
                hint="make it a folder, or name the workflows with -W",
            )


class _Reader:
    """Reads files once each, also when several workflows call the same one."""

    def __init__(self, root: Path, read_published: Callable[[str], bytes | Unread] | None) -> None:
        self._root = root.resolve()
        self._read_published = read_published
        self.texts: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}

    def read(self, path: Path) -> WorkflowFile | Diagnostic:
        """Read one workflow file; a finding where that cannot be done."""
        name = self._name(path)
        if (shown := name.encode("utf-8", "replace").decode()) != name:
            return _tell_unreadable(shown, "its name is not UTF-8", "give it another name")
        try:
            text = self._read(name, path)
        except (OSError, RuntimeError) as error:
            return describe_unreadable(name, path, error)
        reading = read_workflow(name, text, resolve=self.resolve)
        return WorkflowFile(path=name, text=text, digest=self.digests[name], reading=reading)

    def resolve(self, reference: str) -> bytes | Unread | None:
        """Return the content of a called workflow, None where it cannot be had."""
        if "@" in reference:
            return self._resolve_published(reference)
        path = self._root / reference
        if not path.resolve().is_relative_to(self._root):
            return None
        try:
            return self._read(reference, path)
        except (OSError, RuntimeError, ValueError):
            return None

    def _resolve_published(self, reference: str) -> bytes | Unread | None:
        if self._read_published is None or reference in self.texts:
            return self.texts.get(reference)
        found = self._read_published(reference)
        return found if isinstance(found, Unread) else self._keep(reference, found)

    def _read(self, name: str, path: Path) -> bytes:
        known = self.texts.get(name)
        return self._keep(name, path.read_bytes()) if known is None else known

    def _keep(self, name: str, text: bytes) -> bytes:
        self.texts[name] = text
        self.digests[name] = hashlib.sha256(text).hexdigest()
        return text

    def _name(self, path: Path) -> str:
        """Return the path within the repository; the folder is resolved, a link itself is not."""
        folder = path.parent.resolve()
        if folder.is_relative_to(self._root):
            return (folder.relative_to(self._root) / path.name).as_posix()
        return str(folder / path.name)


def describe_unreadable(name: str, path: Path, error: Exception) -> Diagnostic:
    """Return the finding for a workflow file that could not be read from disk."""
    if path.is_dir():
        problem, hint = "it is a folder", "rename it, so that it does not end like a workflow file"
    elif isinstance(error, OSError) and error.strerror:
        problem, hint = error.strerror.lower(), "make it a readable file, or remove it"
    else:
        problem, hint = "its symbolic link leads in a circle", "make it a readable file"
    return _tell_unreadable(name, problem, hint)


def _tell_unreadable(name: str, problem: str, hint: str) -> Diagnostic:
    start = Position(1, 1)
    return Diagnostic(
        code="unreadable-workflow",
        message=f"{name} cannot be read: {problem}",
        span=Span(name, start, start),
        hint=hint,
    )
