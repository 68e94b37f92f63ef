"""The problem matchers of a job, and how a step's lines become annotations by them.

Source: actions/runner src/Runner.Worker/ExecutionContext.cs (`AddMatchers`),
Handlers/OutputManager.cs
"""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.jobs.files import UnusableFileError, read_bounded
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from windlass.jobs.matchers.matching import Fields
    from windlass.jobs.matchers.process import MatchingProcess

LARGEST_GIT_CONFIG_BYTES: Final = 1 << 20
MOST_FOLDERS: Final = 50


class JobMatchers:
    """The matchers that the steps of a job have added, the latest first; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._matchers: list[dict[str, Any]] = []
        self._steps: list[StepMatchers] = []

    def add(self, matchers: list[dict[str, Any]]) -> None:
        """Add matchers; those of the same owners go."""
        owners = {it["owner"].lower() for it in matchers}
        with self._lock:
            others = [it for it in self._matchers if it["owner"].lower() not in owners]
            self._matchers = [*matchers, *others]
            for step in self._steps:
                step.change(add=matchers)

    def remove(self, owners: Iterable[str]) -> list[str]:
        """Take away the matchers of owners; return those that were there."""
        unwanted = {owner.lower() for owner in owners}
        with self._lock:
            gone = [it["owner"] for it in self._matchers if it["owner"].lower() in unwanted]
            self._matchers = [it for it in self._matchers if it["owner"] not in gone]
            for step in self._steps:
                step.change(remove=gone)
        return gone

    def open(self, step: StepMatchers) -> None:
        """Give a step the matchers of now, and those to come."""
        with self._lock:
            step.change(add=list(reversed(self._matchers)))
            self._steps.append(step)

    def close(self, step: StepMatchers) -> None:
        """The step has ended."""
        with self._lock:
            self._steps.remove(step)


@dataclass(frozen=True, slots=True)
class Issue:
    """An error, a warning or a notice that was found in a line."""

    level: str
    message: str
    properties: Mapping[str, str]


class StepMatchers:
    """Looks at the lines of one step while there are matchers.

    `find_file` makes the file that a line names relative to the repository, or returns None.
    `warn` is told of matchers that are taken away.
    """

    def __init__(
        self, find_file: Callable[[str, str], str | None], warn: Callable[[str], None]
    ) -> None:
        self._find_file = find_file
        self._warn = warn
        self._lock = threading.Lock()
        self._changes: list[tuple[str, Any]] = []
        self._owners: set[str] = set()
        self._process: MatchingProcess | None = None
        self.are_there = False

    def change(self, *, add: Iterable[dict[str, Any]] = (), remove: Iterable[str] = ()) -> None:
        """Take note of matchers that come and go, from any thread; it counts from the next line."""
        with self._lock:
            for matcher in add:
                self._changes.append(("add", matcher))
                self._owners.add(matcher["owner"].lower())
            for owner in remove:
                self._changes.append(("remove", owner))
                self._owners.discard(owner.lower())
            self.are_there = bool(self._owners)

    def look(self, data: bytes) -> Iterator[tuple[int, int, Issue]]:
        """Yield what is found in whole lines, each with the place of its line among them.

        Raises:
            ExecutorError: the process that matches has ended.
        """
        lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
        ends = list(itertools.accumulate(len(line) + 1 for line in data.split(b"\n")))
        found, removed = self._catch_up().match(lines)
        for owner, reason in removed:
            self._forget(owner)
            self._warn(f"Removing issue matcher '{owner}'. Matcher failed 3 times. Error: {reason}")
        for number, fields in found:
            start = ends[number - 1] if number else 0
            yield start, min(ends[number], len(data)), self._make_issue(fields)

    def close(self) -> None:
        """End the process that matches, if there is one."""
        if self._process is not None:
            self._process.close()

    def _catch_up(self) -> MatchingProcess:
        """Return the process that matches, with the matchers of now."""
        if self._process is None:
            # Imported only where there are matchers, as most jobs have none.
            from windlass.jobs.matchers.process import MatchingProcess

            self._process = MatchingProcess()
        with self._lock:
            changes, self._changes = self._changes, []
        for kind, what in changes:
            if kind == "add":
                self._process.add(what)
            else:
                self._process.remove(what)
        return self._process

    def _forget(self, owner: str) -> None:
        with self._lock:
            self._owners.discard(owner.lower())
            self.are_there = bool(self._owners)

    def _make_issue(self, fields: Fields) -> Issue:
        properties: dict[str, str] = {}
        for name, key in (("line", "line"), ("column", "col")):
            number = fields[name] or ""
            if number.isascii() and number.isdigit():
                properties[key] = str(int(number))
        if code := (fields["code"] or "").strip():
            properties["code"] = code
        file = fields["file"] or ""
        if file.strip():
            relative = self._find_file(file, fields["fromPath"] or "")
            if relative is not None:
                properties["file"] = relative
        level = (fields["severity"] or "error").lower()
        return Issue(level, fields["message"] or "", properties)


class RepositoryFiles:
    """Makes paths in output relative to the checkout of the workflow's repository they lie in.

    `see` tells where this process finds a path of the job.
    """

    def __init__(
        self, workspace: str, server_url: str, repository: str, see: Callable[[Path], Path]
    ) -> None:
        self._workspace = workspace
        host = server_url.partition("://")[2]
        self._urls = (
            f"url = {server_url}/{repository}".lower(),
            f"url = git@{host}:{repository}.git".lower(),
        )
        self._see = see
        self._known: dict[Path, Path | None] = {}

    def find(self, file: str, from_path: str) -> str | None:
        """Return the path of a file that exists, relative to its repository; else None."""
        folder = os.path.dirname(from_path) if from_path.strip() else ""  # noqa: PTH120
        # As the runner joins them: an absolute path stands for itself.
        full = Path(os.path.normpath(os.path.join(self._workspace, folder, file)))  # noqa: PTH118
        try:
            if not self._see(full).is_file():
                return None
            root = self._find_root(full.parent)
        except (OSError, ValueError):
            return None
        return None if root is None else str(full.relative_to(root))

    def _find_root(self, folder: Path) -> Path | None:
        """Return the nearest folder above that is a checkout, if it is one of this repository."""
        for above in [folder, *folder.parents][:MOST_FOLDERS]:
            if above not in self._known:
                config = self._see(above / ".git" / "config")
                if not config.is_file():
                    continue
                self._known[above] = above if self._is_ours(config) else None
            return self._known[above]
        return None

    def _is_ours(self, config: Path) -> bool:
        try:
            text = read_bounded(config, LARGEST_GIT_CONFIG_BYTES) or b""
        except UnusableFileError:
            return False
        # Git may put the value in quotes.
        lines = text.decode("utf-8", "replace").lower().replace('"', "").split("\n")
        return any(line.strip() in self._urls for line in lines)
