"""Mirrors: what the server keeps of each repository, as a bare repository of its own.

A mirror has the branches, the tags, and what was asked for of pull requests. Jobs get their code
from it, never from where it was fetched. Git fetches without any configuration of the user's, runs
no hook and no helper, follows no redirect, and uses the one protocol of the location.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import WorkspaceError
from windlass.git.commands import NO_CONFIGURATION, Answer, ask, complain, decode, run_apart
from windlass.git.folders import SHA256_LENGTH, make_git_folder, read_refs, write_ref
from windlass.git.kept_repositories import LOCK
from windlass.git.objects import ObjectReader
from windlass.git.packing import pack
from windlass.model.values import dataclass
from windlass.stores.locks import holding_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from windlass.events.addresses import Location

KEPT: Final = "refs/windlass/kept"
"""Where the commits of runs are kept, which a push by force may have taken off their branches."""

_KEEPING: Final = "windlass-keeping"
_EXPIRE: Final = "2.weeks.ago"
LOOK_UP_SECONDS: Final = 30
FETCH_SECONDS: Final = 1800
_FETCHED: Final = ("heads", "tags", "pull")
_SPREAD: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_QUIET: Final = (
    *("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"),
    *("--no-write-fetch-head", "--no-show-forced-updates"),
)
_SETTINGS: Final = (
    *("-c", "http.followRedirects=false", "-c", "http.lowSpeedLimit=1"),
    *("-c", "http.lowSpeedTime=30", "-c", "protocol.version=2", "-c", "credential.helper="),
)
_SSH: Final = "ssh -F none -o BatchMode=yes -o ConnectTimeout=20"
_PACK: Final = "--upload-pack=git -c 'safe.directory=*' upload-pack"
"""A folder that was registered may belong to another user; Git packs it and runs no hook of it."""

_TOKEN_USER: Final = "x-access-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """What a repository has: the ids of its branches and tags, and the branch that HEAD names."""

    heads: Mapping[str, str]
    default_branch: str | None


class Mirrors:
    """The mirrors in a folder, by the ids of their repositories.

    May be used from any number of threads and processes. A `token` is shown to a server that is
    asked by HTTP as GitHub wants it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, repository: str) -> Path:
        """Return where the mirror of a repository is, or would be."""
        return self.folder / f"{repository}.git"

    def list_refs(self, location: Location, token: str = "") -> Refs:
        """Ask a repository for its branches and tags.

        Raises:
            GitError: it cannot be reached, or there is none.
        """
        command = ["ls-remote", "--quiet", "--symref", *_pack(location), "--", location.text]
        command += ["HEAD", "refs/heads/*", "refs/tags/*"]
        self.folder.mkdir(parents=True, exist_ok=True)
        # Above the mirrors, so that git takes none of them for its own repository.
        variables = {"GIT_DIR": str(self.folder / "none"), **_reach(location, token)}
        answer = ask([*_SETTINGS, *command], folder=self.folder, variables=variables)
        return _read_refs(_expect(command, answer.answer(LOOK_UP_SECONDS)))

    def fetch(
        self, repository: str, location: Location, *, token: str = "", more: Sequence[str] = ()
    ) -> None:
        """Bring the mirror of a repository up to date, making it where it is missing.

        `more` are further refs that are wanted, and that may be missing, as `refs/pull/1/merge`.

        Raises:
            GitError: the repository cannot be reached, or there is none.
            WorkspaceError: the mirror cannot be written.
        """
        with self._lock(repository) as lock:
            mirror = self.find(repository)
            if not (mirror / "HEAD").exists():
                heads = self.list_refs(location, token).heads
                wide = any(len(sha) == SHA256_LENGTH for sha in heads.values())
                make_git_folder(mirror, [], bare=True, wide=wide)
            variables = {"GIT_DIR": str(mirror), **_reach(location, token)}
            for spread in ((*_SPREAD,), *((f"+{ref}:{ref}",) for ref in more)):
                prune = ["--prune"] if spread == _SPREAD else []
                command = ["fetch", *_QUIET, *prune, *_pack(location), "--", location.text, *spread]
                asked = ask(
                    [*_SETTINGS, *command], folder=mirror, variables=variables, files=[lock]
                )
                answer = asked.answer(FETCH_SECONDS)
                if spread == _SPREAD or "couldn't find remote ref" not in answer.complaint:
                    _expect(command, answer)

    def find_commit(self, repository: str, revision: str) -> str | None:
        """Return the commit that a ref or an id names in a mirror; None where it has none."""
        mirror = self.find(repository)
        if not (mirror / "HEAD").exists():
            return None
        command = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        variables = {**NO_CONFIGURATION, "GIT_DIR": str(mirror)}
        answer = ask(command, folder=mirror, variables=variables).answer()
        return decode(answer.output).strip() if answer.code == 0 else None

    def list_branches(self, repository: str, limit: int) -> list[str]:
        """Return branches of a mirror, those with the newest commits first."""
        command = ["for-each-ref", "--sort=-committerdate", f"--count={limit}"]
        command += ["--format=%(refname:lstrip=2)", "refs/heads"]
        return decode(run_apart(command, folder=self.find(repository))).splitlines()

    def read(self, repository: str) -> ObjectReader | None:
        """Return what reads objects of a mirror, to be closed; None where there is no mirror.

        Raises:
            GitError: git cannot be started.
        """
        mirror = self.find(repository)
        return ObjectReader(mirror) if (mirror / "HEAD").exists() else None

    def find_merge_base(self, repository: str, one: str, other: str) -> str | None:
        """Return where two commits of a mirror part; None where they share nothing."""
        variables = {**NO_CONFIGURATION, "GIT_DIR": str(self.find(repository))}
        command = ["merge-base", "--", one, other]
        answer = ask(command, folder=self.find(repository), variables=variables).answer()
        return decode(answer.output).strip() or None if answer.code == 0 else None

    def keep(self, repository: str, sha: str) -> None:
        """Keep a commit that a run is about, whatever becomes of its branch.

        The mirror has to have it.

        Raises:
            WorkspaceError: the mirror cannot be written.
        """
        mirror = self.find(repository)
        try:
            with holding_lock(mirror / _KEEPING):
                path = mirror / KEPT / sha
                if path.exists():
                    # It is as young as the last run that wants it.
                    os.utime(path)
                else:
                    write_ref(mirror, f"{KEPT}/{sha}", sha)
        except OSError as error:
            raise WorkspaceError(f"{mirror} cannot be written: {error.strerror}") from error

    def list_kept(self, repository: str) -> list[str]:
        """Return the commits that are kept, whatever becomes of their branches.

        Raises:
            WorkspaceError: the mirror cannot be read.
        """
        mirror = self.find(repository)
        try:
            return [it.removeprefix(f"{KEPT}/") for it in read_refs(mirror, f"{KEPT}/")]
        except OSError as error:
            raise WorkspaceError(f"{mirror} cannot be read: {error.strerror}") from error

    def release(self, repository: str, commits: Collection[str], before: float) -> int:
        """Keep commits no longer than their branches do, but those kept since a moment.

        `before` is in seconds since the epoch. Returns how many those were.

        Raises:
            GitError: git failed.
            WorkspaceError: the mirror cannot be written.
        """
        mirror = self.find(repository)
        try:
            with holding_lock(mirror / _KEEPING):
                there = read_refs(mirror, f"{KEPT}/")
                old = [
                    it
                    for it in commits
                    if f"{KEPT}/{it}" in there and _is_older(mirror / KEPT / it, before)
                ]
                deletions = "".join(f"delete {KEPT}/{it}\n" for it in old)
                if old:
                    command = ["update-ref", "--stdin"]
                    run_apart(command, folder=mirror, text=deletions.encode("ascii"))
        except OSError as error:
            raise WorkspaceError(f"{mirror} cannot be written: {error.strerror}") from error
        return len(old)

    def tidy(self, repository: str) -> None:
        """Pack what many small fetches have left, where it is time for that.

        Whoever wants to fetch waits: git must not take away what a fetch has just found to be
        there. A mirror that somebody fetches into at this moment is left as it is.

        Raises:
            GitError: git failed, or has not come to an end in time.
            WorkspaceError: the mirror cannot be written.
        """
        mirror = self.find(repository)
        try:
            with self._lock(repository, wait=False) as lock:
                pack(mirror, _EXPIRE, files=[lock])
        except BlockingIOError:
            return

    def remove(self, repository: str) -> None:
        """Remove a mirror; nothing happens where there is none.

        Raises:
            WorkspaceError: it cannot be removed.
        """
        mirror, aside = self.find(repository), self.folder / f"{repository}.removed"
        try:
            if mirror.exists():
                # Half of it never has its name.
                shutil.rmtree(aside, ignore_errors=True)
                mirror.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise WorkspaceError(f"{mirror} cannot be removed: {error.strerror}") from error

    @contextlib.contextmanager
    def _lock(self, repository: str, *, wait: bool = True) -> Iterator[int]:
        """Let one fetch into a mirror at a time; git keeps the lock while it lives."""
        mirror = self.find(repository)
        try:
            mirror.mkdir(parents=True, exist_ok=True)
            lock = (mirror / LOCK).open("w")
        except OSError as error:
            raise WorkspaceError(f"{mirror} cannot be made: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held these is dead: git keeps our lock open until it ends.
            for stale in _list_locks(mirror):
                stale.unlink(missing_ok=True)
            yield lock.fileno()


@contextlib.contextmanager
def keeping_objects(mirror: Path) -> Iterator[None]:
    """Have nobody pack a mirror, which takes files away, or fetch into it, while it is copied."""
    try:
        lock = (mirror / LOCK).open("rb")
    except FileNotFoundError:
        # Nobody has ever fetched into it.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _is_older(path: Path, before: float) -> bool:
    """Tell whether a ref was written before a moment; one that Git has packed was."""
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return True


def _list_locks(mirror: Path) -> Iterator[Path]:
    """Yield the locks of refs that are fetched; those of commits that are kept are many."""
    yield from mirror.glob("*.lock")
    for kind in _FETCHED:
        for folder, _, names in os.walk(mirror / "refs" / kind):
            yield from (Path(folder, name) for name in names if name.endswith(".lock"))


def _reach(location: Location, token: str) -> dict[str, str]:
    """Return the variables by which git reaches a location, and nothing else."""
    variables = {
        **NO_CONFIGURATION,
        "GIT_ALLOW_PROTOCOL": location.protocol,
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    settings: list[tuple[str, str]] = []
    if location.protocol == "ssh":
        variables["GIT_SSH_COMMAND"] = _SSH
        if location.addresses:
            pinned = f" -o HostName={location.addresses[0]} -o HostKeyAlias={location.host}"
            variables["GIT_SSH_COMMAND"] = _SSH + pinned
    elif location.addresses and location.host not in location.addresses:
        found = ",".join(location.addresses)
        settings.append(("http.curloptResolve", f"{location.host}:{location.port}:{found}"))
    if token and location.protocol in ("https", "http"):
        shown = base64.b64encode(f"{_TOKEN_USER}:{token}".encode()).decode()
        settings.append(("http.extraHeader", f"Authorization: Basic {shown}"))
    # Not as arguments, which every process of this machine can read.
    variables["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (name, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def _pack(location: Location) -> list[str]:
    return [_PACK] if location.is_folder else []


def _expect(command: Sequence[str], answer: Answer) -> bytes:
    if answer.code != 0:
        raise complain(command, answer)
    return answer.output


def _read_refs(listing: bytes) -> Refs:
    """Read `ID TAB NAME` and `ref: NAME TAB HEAD`; what tags stand for is left out."""
    heads, default = {}, None
    for line in decode(listing).splitlines():
        sha, _, name = line.partition("\t")
        if name == "HEAD" and sha.startswith("ref: refs/heads/"):
            default = sha.removeprefix("ref: refs/heads/")
        elif name.startswith(("refs/heads/", "refs/tags/")) and not name.endswith("^{}"):
            heads[name] = sha
    return Refs(heads=heads, default_branch=default)


def find_mirrors(data: Path) -> Mirrors:
    """Return the mirrors of a server whose files are in a folder."""
    return Mirrors(data / "mirrors")
