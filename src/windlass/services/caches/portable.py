"""Versions that name folders of one job, told in a way that holds for every job.

GitHub's client makes a version of the paths of a cache as they were written. `setup-node` and its
like write where the tool keeps its files, below HOME: on GitHub's machines that is the same place
for all jobs, here it is one of the job's own, and no version would ever come again. The archive
itself does not mind: it names its files relative to the workspace. So the paths are read from the
archive; if they make the very version that the client gave, they are kept relative to the job's
folder, and any other job's version is recognised by making it of these.

Source: npm's @actions/cache, src/internal/cacheUtils.ts (getCacheVersion)
"""

from __future__ import annotations

import hashlib
import json
from posixpath import isabs, join, normpath, relpath
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

METHODS: Final = ("zstd-without-long", "zstd", "gzip")
"""What the client calls the ways in which it packs."""

SALT: Final = "1.0"
MOST_PATHS: Final = 32
_LAYOUT: Final = ":"
LAYERS: Final = hashlib.sha256(b"|go-actionscache-1.0").hexdigest()
"""The one version of BuildKit's client: it is not made of paths."""


@dataclass(frozen=True, slots=True)
class PortableVersion:
    """How a cache was packed, and its paths: relative ones are in the folder of a job."""

    method: str
    paths: tuple[str, ...]

    def place(self, folder: str) -> str:
        """Return the version that a job in that folder has for these paths."""
        return compute_version([join(folder, path) for path in self.paths], self.method)

    def to_text(self) -> str:
        """Return the text that `read_portable` reads."""
        return json.dumps([self.method, *self.paths])


def read_portable(text: str) -> PortableVersion:
    """Read what `PortableVersion.to_text` wrote."""
    method, *paths = json.loads(text)
    return PortableVersion(method, tuple(paths))


def compute_version(paths: Sequence[str], method: str) -> str:
    """Return the version that the client makes of paths as they were written."""
    text = "|".join([*paths, method, SALT])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a job has its folders: its own, and in there HOME and the workspace."""

    folder: str
    home: str
    workspace: str

    @property
    def layout(self) -> str:
        """Where HOME is, seen from the workspace.

        What was packed in one layout would be unpacked in the wrong place in another.
        """
        return relpath(self.home, self.workspace)


def recognise(version: str, names: Iterable[str], places: Places) -> PortableVersion | None:
    """Return of which paths in a job's folder a version was made; None where of others.

    `names` are those of the archive's entries in their order, relative to the workspace: the paths
    of the cache are among them, each before what it holds. No more are read than are needed.
    """
    found: list[str] = []
    short: list[str] = []
    for name in names:
        path = normpath(join(places.workspace, name))
        if found and f"{path}/".startswith(f"{found[-1]}/"):
            continue
        found.append(path)
        short.append(_shorten(path, places))
        if len(found) > MOST_PATHS:
            return None
        for method in METHODS:
            if compute_version(found, method) == version:
                return _make_portable(method, found, places.folder)
            if compute_version(short, method) == version:
                return None  # written so, it holds for every job as it is
    return None


def _shorten(path: str, places: Places) -> str:
    """Return a path as people write it: from the workspace on, or from HOME."""
    if path.startswith(f"{places.workspace}/"):
        return path.removeprefix(f"{places.workspace}/")
    if path.startswith(f"{places.home}/"):
        return f"~/{path.removeprefix(f'{places.home}/')}"
    return path


def _make_portable(method: str, paths: Sequence[str], folder: str) -> PortableVersion | None:
    inside = f"{folder}/"
    kept = tuple(path.removeprefix(inside) for path in paths)
    return None if all(map(isabs, kept)) else PortableVersion(method, kept)


def qualify_version(version: str, places: Places | None) -> str:
    """Return under which version a cache is kept: that of the client, and the layout of its job."""
    if places is None or version == LAYERS:
        return version
    return f"{version}{_LAYOUT}{places.layout}"


def has_version(qualified: str, portable: str | None, wanted: str, places: Places | None) -> bool:
    """Tell whether a cache that is kept under a version is one of those that a job wants.

    Both are qualified; `portable` is what `PortableVersion.to_text` wrote of it.
    """
    if qualified == wanted:
        return True
    if portable is None or places is None:
        return False
    _, _, layout = qualified.partition(_LAYOUT)
    plain, _, own_layout = wanted.partition(_LAYOUT)
    return layout == own_layout and read_portable(portable).place(places.folder) == plain


def plain_version(qualified: str) -> str:
    """Return the version as the client gave it."""
    return qualified.partition(_LAYOUT)[0]
