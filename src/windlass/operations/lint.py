"""`lint`: everything that is wrong with a repository's workflows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.errors import InputError
from windlass.lang.lint import NoFiles, Repository, lint_action, lint_text
from windlass.lang.lint.composite import is_action
from windlass.lang.lint.ignoring import without_ignored
from windlass.model.values import dataclass
from windlass.operations.loading import WORKFLOW_FOLDER, describe_unreadable, find_workflows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.lint.shellcheck import Remark, Script

SHELLCHECK_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """What was found; paths in `diagnostics` and `files` are relative to `root`.

    `remarks` say what could not be looked at, for instance scripts without ShellCheck.
    """

    root: Path
    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    remarks: tuple[str, ...] = ()

    def to_sarif(self) -> dict[str, Any]:
        """Return the findings as SARIF 2.1.0."""
        from windlass import __version__
        from windlass.lang.lint.sarif import write_sarif

        return write_sarif(self.diagnostics, version=__version__)


class FolderFiles:
    """The files below a repository's root; nothing outside of it is ever read."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._found: dict[str, Path | None] = {}

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        found = self._find(path)
        try:
            return found.read_bytes() if found is not None else None
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Say whether a file or a folder is there."""
        return self._find(path) is not None

    def list(self, folder: str) -> tuple[str, ...]:
        """Return the names of what is in a folder; empty where there is no such folder."""
        found = self._find(folder)
        try:
            return tuple(sorted(each.name for each in found.iterdir())) if found else ()
        except OSError:
            return ()

    def _find(self, path: str) -> Path | None:
        """Return the real path of what is there and lies below the root; looked up once."""
        if path not in self._found:
            self._found[path] = self._look_up(path)
        return self._found[path]

    def _look_up(self, path: str) -> Path | None:
        try:
            real = os.path.realpath(f"{self._root}/{path}")
            is_inside = os.path.commonpath((self._root, real)) == self._root
            return Path(real) if is_inside and os.path.lexists(real) else None
        except (OSError, ValueError):
            return None


def lint(
    paths: Sequence[Path] = (), *, root: Path | None = None, use_shellcheck: bool = True
) -> LintReport:
    """Lint workflow files: `paths` are files or folders; without any, all of the repository's.

    `root` is the repository's root; without one it is found from the first path, or from the
    current folder.

    Raises:
        InputError: a path is not there, or there is no workflow at all.
    """
    start = paths[0] if paths else root or Path()
    root = (root or find_root(start)).resolve()
    files = [file for path in paths or (root,) for file in find_files(path, root)]
    repositories: dict[Path, Repository] = {}
    found: list[Diagnostic] = []
    scripts: list[tuple[Script, str]] = []
    for file in files:
        repository = _repository_around(file, repositories)
        diagnostics, its_scripts = _lint_file(file, _name(file, root), repository)
        found += diagnostics
        scripts += its_scripts
    remarks: tuple[str, ...] = ()
    if use_shellcheck and scripts:
        remarks = _check_scripts(scripts, found)
    return LintReport(
        root=root,
        files=tuple(_name(file, root) for file in files),
        diagnostics=tuple(sorted(dict.fromkeys(found), key=_place)),
        remarks=remarks,
    )


def find_root(path: Path) -> Path:
    """Return the closest folder at or above a path with `.github/workflows` or `.git`."""
    start = Path(os.path.realpath(path))
    for folder in (start, *start.parents):
        if is_repository(folder):
            return folder
    return start if start.is_dir() else start.parent


def is_repository(folder: Path) -> bool:
    """Say whether a folder is the root of a repository, so that files can be missing from it."""
    return (folder / WORKFLOW_FOLDER).is_dir() or (folder / ".git").exists()


def _repository_around(file: Path, known: dict[Path, Repository]) -> Repository:
    """Return the repository a file lies in, the same one for all of its files."""
    root = find_root(file.parent)
    if root not in known:
        files = FolderFiles(root) if is_repository(root) else NoFiles()
        known[root] = Repository(files, timezones=_timezones)
    return known[root]


def find_files(path: Path, root: Path) -> tuple[Path, ...]:
    """Return a file itself, the workflows in a folder, or a repository's workflows and actions.

    Raises:
        InputError: the path is not there, or the folder has no workflows.
    """
    if not os.path.lexists(path):
        message = f"'{path}' cannot be linted: there is no such file or folder"
        raise InputError(message, hint="Name a workflow file, a folder or a repository.")
    inside = path / WORKFLOW_FOLDER
    if inside.is_dir():
        return (*find_workflows(root, inside), *find_actions(path))
    return find_workflows(root, path)


def find_actions(root: Path) -> tuple[Path, ...]:
    """Return the metadata files of the repository's own actions: root and `.github/actions`."""
    places = (root, *sorted((root / ".github" / "actions").glob("**/")))
    names = ("action.yml", "action.yaml")
    return tuple(place / name for place in places for name in names if (place / name).is_file())


def _lint_file(
    file: Path, name: str, repository: Repository
) -> tuple[tuple[Diagnostic, ...], list[tuple[Script, str]]]:
    from windlass.lang.lint.shellcheck import scripts_of

    try:
        content = file.read_bytes()
    except (OSError, RuntimeError) as error:
        return (describe_unreadable(name, file, error),), []
    if is_action(name):
        return lint_action(name, content, repository), []
    workflow, found = lint_text(name, content, repository)
    text = content.decode("utf-8", "replace")
    scripts = [(script, text) for script in scripts_of(workflow, text)] if workflow else []
    return found, scripts


def _name(file: Path, root: Path) -> str:
    absolute = file.parent.resolve() / file.name
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(absolute)


def _timezones() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


def _place(found: Diagnostic) -> tuple[str, int, int, str]:
    if found.span is None:
        return "", 0, 0, found.code
    return found.span.path, found.span.start.line, found.span.start.column, found.code


def _check_scripts(scripts: list[tuple[Script, str]], found: list[Diagnostic]) -> tuple[str, ...]:
    """Add what ShellCheck finds; returns what to say about it."""
    from windlass.lang.lint.shellcheck import to_diagnostic

    program = find_shellcheck()
    if program is None:
        return ("ShellCheck is not installed: the scripts of `run` steps were not looked into.",)
    for number, remark in _run_shellcheck(program, [script for script, _ in scripts]):
        script, text = scripts[number]
        found += without_ignored((to_diagnostic(script, remark),), text)
    return ()


def find_shellcheck() -> str | None:
    """Return the `shellcheck` program: beside this Python, or on the PATH."""
    import shutil
    import sys

    beside = Path(sys.executable).parent / "shellcheck"
    return str(beside) if beside.is_file() else shutil.which("shellcheck")


def _run_shellcheck(program: str, scripts: list[Script]) -> Iterator[tuple[int, Remark]]:
    """Check all scripts by one process for each dialect; yields a script's number and a remark."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="windlass-lint-") as folder:
        for dialect in ("bash", "sh"):
            names: dict[str, int] = {}
            for number, script in enumerate(scripts):
                if script.dialect == dialect:
                    names[f"{number}.sh"] = number
                    Path(folder, f"{number}.sh").write_text(script.text, encoding="utf-8")
            if names:
                for comment in _ask_shellcheck(program, dialect, folder, names):
                    yield names[comment["file"]], _remark(comment)


def _ask_shellcheck(
    program: str, dialect: str, folder: str, names: Iterable[str]
) -> list[dict[str, Any]]:
    import subprocess

    from windlass.errors import PlatformError
    from windlass.lang.lint.shellcheck import EXCLUDED

    excluded = ",".join(f"SC{number}" for number in EXCLUDED)
    arguments = [program, "--norc", "--format=json1", f"--shell={dialect}", f"--exclude={excluded}"]
    try:
        answer = subprocess.run(
            [*arguments, *names],
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=SHELLCHECK_SECONDS,
            check=False,
        )
        comments: list[dict[str, Any]] = json.loads(answer.stdout)["comments"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        hint = "Run `windlass lint --no-shellcheck` to do without it."
        raise PlatformError(f"ShellCheck ({program}) did not work: {error}", hint=hint) from error
    return comments


def _remark(comment: dict[str, Any]) -> Remark:
    from windlass.lang.lint.shellcheck import Remark

    is_one_line = comment["endLine"] == comment["line"]
    return Remark(
        number=comment["code"],
        level=comment["level"],
        message=comment["message"],
        line=comment["line"],
        column=comment["column"],
        end_column=comment["endColumn"] if is_one_line else comment["column"] + 1,
    )
