"""A checkout of another repository: fetched by Git, kept, and written as any other.

Git reaches it as it reaches actions: with the user's own access, below the same places. A token or
an SSH key that the step gives is used as well, on the way to the server it is for. Neither is left
in the workspace, and what was fetched stays in the user's cache.
Source: https://github.com/actions/checkout src/git-source-provider.ts, src/git-auth-helper.ts
"""

from __future__ import annotations

import base64
import contextlib
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from windlass.errors import GitError
from windlass.git.asking_remotes import UnresolvedError, add_setting
from windlass.git.commands import decode, run_apart
from windlass.git.folders import SHA256_LENGTH, GitFolders
from windlass.git.job_git import make_fetched_git
from windlass.git.sparse import PATTERNS
from windlass.git.submodules import list_links
from windlass.jobs.checkout import Revision
from windlass.jobs.checkout_folders import find_folder, prepare_folder
from windlass.jobs.checkout_inputs import CheckoutError
from windlass.jobs.links import write_new_file
from windlass.jobs.source import read_index
from windlass.jobs.workspaces.bases import Bases
from windlass.jobs.workspaces.contents import Wish, write_content
from windlass.jobs.workspaces.copies import put_facts
from windlass.jobs.workspaces.filling import fill_folder
from windlass.jobs.workspaces.removal import remove_entry
from windlass.model.values import dataclass
from windlass.plan.handover import LOCAL_TOKEN
from windlass.plan.references import read_reference
from windlass.stores.state_folder import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.git.asking_remotes import Resolved
    from windlass.jobs.checkout_inputs import CheckoutInputs
    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.source import Source
    from windlass.jobs.workspaces.bases import Content

_KEY_MODE: Final = 0o600
_SSH: Final = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o IdentitiesOnly=yes -o CheckHostIP=no"
_NO_REF: Final = "A branch or tag with the name '{}' could not be found in {}"


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Where a repository is kept, and which of its commits is to be checked out."""

    store: Path
    revision: Revision


def check_out_other(
    given: CheckoutInputs, place: StepPlace, source: Source, reporter: StepReporter
) -> Revision:
    """Fetch a repository and fill a folder of the workspace with it.

    Raises:
        CheckoutError: it is not there, or something of it cannot be had here.
        PlatformError: git failed, or something cannot be kept.
        OSError: a file of the workspace cannot be written.
    """
    name = _read_name(given.repository or source.repository.full_name)
    folder = find_folder(given.path, place)
    server = given.server_url or source.repository.server_url
    with_history = given.fetch_depth != 1 or given.fetch_tags
    with _reach(given, server, place) as (urls, variables):
        fetched = _fetch(name, given, place, reporter, urls, variables, with_history=with_history)
    _fill(fetched, folder, f"{server}/{name}", given, place, source, with_history=with_history)
    revision = fetched.revision
    shown = f" ({revision.ref})" if revision.ref != revision.sha else ""
    reporter.log.write_line(f"Checked out {name} at {revision.sha}{shown}")
    return revision


def _read_name(repository: str) -> str:
    reference = read_reference(f"{repository}@HEAD")
    if reference is None or reference.name != repository:
        raise CheckoutError(
            f"Invalid repository '{repository}'. Expected format {{owner}}/{{repo}}."
        )
    return repository


# On the way


@contextlib.contextmanager
def _reach(
    given: CheckoutInputs, server: str, place: StepPlace
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield where the repository is looked for, and variables with which Git gets there."""
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CheckoutError(
            f"github-server-url: '{server}' is not the URL of a server, such as https://github.com"
        )
    urls = (server,) if given.server_url else ()
    if not given.ssh_key:
        yield urls, _offer_token(given.token, server)
        return
    folder = Path(tempfile.mkdtemp(prefix="key-", dir=place.folders.root))
    try:
        command = _offer_key(given, folder)
        yield (f"{given.ssh_user}@{parts.hostname}:",), {"GIT_SSH_COMMAND": command}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _offer_token(token: str, server: str) -> dict[str, str]:
    """Return the variables for a token; Windlass's own opens nothing elsewhere."""
    if not token or token.startswith(LOCAL_TOKEN):
        return {}
    login = base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
    return add_setting(f"http.{server}/.extraheader", f"AUTHORIZATION: basic {login}")


def _offer_key(given: CheckoutInputs, folder: Path) -> str:
    """Write an SSH key where only this user can read it; return the command that uses it."""
    write_new_file(folder, "key", f"{given.ssh_key}\n".encode(), _KEY_MODE)
    command = f"{_SSH} -i {shlex.quote(str(folder / 'key'))}"
    command += f" -o StrictHostKeyChecking={'yes' if given.ssh_strict else 'no'}"
    if given.ssh_known_hosts:
        write_new_file(folder, "known_hosts", f"{given.ssh_known_hosts}\n".encode(), _KEY_MODE)
        known = shlex.quote(str(folder / "known_hosts"))
        command += f" -o 'UserKnownHostsFile=~/.ssh/known_hosts '{known}"
    return command


def _fetch(
    name: str,
    given: CheckoutInputs,
    place: StepPlace,
    reporter: StepReporter,
    urls: tuple[str, ...],
    variables: dict[str, str],
    *,
    with_history: bool,
) -> _Fetched:
    if place.published is None:
        raise CheckoutError(f"actions/checkout: {name} cannot be fetched from here")
    repositories = place.published().open_for_checkout(
        urls=urls, variables=variables, with_history=with_history
    )
    try:
        resolved = repositories.resolve(name, given.ref)
        repositories.provide(name, resolved.sha)
    except UnresolvedError as error:
        raise CheckoutError(_explain(name, given.ref, error)) from error
    if resolved.problem:
        reporter.log.write_line(f"{resolved.problem}. {name} is taken as it was the last time")
    revision = Revision(resolved.sha, _name_ref(given.ref, resolved), is_event=False)
    return _Fetched(repositories.find_store(name), revision)


def _name_ref(ref: str, resolved: Resolved) -> str:
    return resolved.ref or (resolved.sha if len(ref) == len(resolved.sha) else ref)


def _explain(name: str, ref: str, error: UnresolvedError) -> str:
    message = f"actions/checkout: {name}: {error.message}"
    if error.reason == "ref" and ref and len(ref) < SHA256_LENGTH // 2:
        message = _NO_REF.format(ref, name)
    return ". ".join(it.rstrip(".") for it in (message, error.hint) if it)


# In the workspace


def _fill(
    fetched: _Fetched,
    folder: Path,
    origin: str,
    given: CheckoutInputs,
    place: StepPlace,
    source: Source,
    *,
    with_history: bool,
) -> None:
    store, sha = fetched.store, fetched.revision.sha
    wide = len(sha) == SHA256_LENGTH
    tree = decode(run_apart(["rev-parse", f"{sha}^{{tree}}"], folder=store)).strip()
    wish = Wish(tree=tree, sparse=given.sparse, has_large_files=given.lfs)
    if given.submodules and (links := list_links(tree, store)):
        raise CheckoutError(
            f"actions/checkout: submodules of another repository are not fetched: "
            f"'{next(iter(links))}' is one; check it out by a step of its own with `path`"
        )
    folders = GitFolders(store / "index", store / "objects", store / "shallow", store, tree)
    bases = Bases(source.state / BASES, store)
    with contextlib.closing(bases):
        content = _provide(wish, bases, folders)
        prepare_folder(place.session.see(folder), origin, clean=given.clean, wide=wide)
        filled = fill_folder(content, folder, session=place.session, layers=None, wide=wide)
        index = put_facts(read_index(content, 0, tree), filled.facts[0], wide=wide)
        remove_entry(filled.folder / ".git")
        make_fetched_git(
            store,
            filled.folder,
            sha=sha,
            ref=fetched.revision.ref,
            origin=origin,
            index=index,
            sparse=given.sparse,
            with_history=with_history,
        )
        if given.sparse is not None:
            patterns = (content.base.shadow / PATTERNS).read_bytes()
            (filled.folder / ".git" / PATTERNS).write_bytes(patterns)


def _provide(wish: Wish, bases: Bases, folders: GitFolders) -> Content:
    try:
        return bases.provide(
            wish.tree,
            lambda to: write_content(wish, to, shadow=folders.common, folders=folders),
            variant=wish.variant,
        )
    except GitError as error:
        if not wish.has_large_files:
            raise
        problem = "lfs: files that Git LFS keeps for another repository are not fetched"
        raise CheckoutError(f"actions/checkout: {problem}: {error.message}") from error
