"""The built-in `actions/checkout`: the repository itself, from this machine.

No network and no credentials are involved. The whole history is there, whatever `fetch-depth` says.
Source: https://github.com/actions/checkout action.yml, src/input-helper.ts
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import PlatformError
from windlass.git.commands import ask, decode
from windlass.git.index import SUBMODULE, GitIndex
from windlass.git.job_git import describe_origin, make_job_git, make_submodule_git
from windlass.git.sparse import PATTERNS, Sparse
from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.links import leads_out
from windlass.jobs.steps import StepEnd
from windlass.jobs.workspaces.contents import Wish
from windlass.jobs.workspaces.copies import put_facts
from windlass.jobs.workspaces.filling import fill_folder
from windlass.jobs.workspaces.removal import empty_folder, remove_entry
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.plan.references import list_uses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.source import Source
    from windlass.jobs.workspaces.bases import Base
    from windlass.jobs.workspaces.filling import Filled
    from windlass.plan.steps import StartStep

CHECKOUT = re.compile(r"actions/checkout@.+", re.IGNORECASE)

HONOURED = frozenset(
    {
        "clean",
        "lfs",
        "path",
        "ref",
        "repository",
        "sparse-checkout",
        "sparse-checkout-cone-mode",
        "submodules",
    }
)
WITHOUT_EFFECT = frozenset(
    {
        "fetch-depth",
        "fetch-tags",
        "filter",
        "github-server-url",
        "persist-credentials",
        "set-safe-directory",
        "show-progress",
        "ssh-key",
        "ssh-known-hosts",
        "ssh-strict",
        "ssh-user",
        "token",
    }
)
"""Inputs about the way to a server, or about how much of the history is left out on the way."""

LAYERS = "_layers"
"""In the job's folder: what an overlay keeps of the job's changes."""

SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


class CheckoutError(Exception):
    """This checkout is not possible: the step fails with this message."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What to check out: a commit, the ref it goes by, and whether it is the event's own."""

    sha: str
    ref: str
    is_event: bool


def is_checkout(uses: str) -> bool:
    """Tell whether a step's `uses` is the action that this module stands in for."""
    return CHECKOUT.fullmatch(uses) is not None


def run_checkout_step(order: StartStep, place: StepPlace, source: Source) -> StepEnd:
    """Fill the workspace, or a folder in it, and tell what was put there."""
    reporter = place.report(order.key)
    effects = StepEffects()
    outcome = Result.FAILURE
    try:
        revision = _check_out(order.inputs, place, source, reporter)
        effects.outputs.update(ref=revision.ref, commit=revision.sha)
        outcome = Result.SUCCESS
    except CheckoutError as error:
        reporter.annotate("error", str(error))
    except PlatformError as error:
        reporter.annotate("error", " ".join(filter(None, (error.message, error.hint))))
    except OSError as error:
        reporter.annotate("error", f"{error.strerror}: '{error.filename}'")
    reporter.log.flush()
    return StepEnd(outcome, None, effects)


def _check_out(
    inputs: Mapping[str, str], place: StepPlace, source: Source, reporter: StepReporter
) -> Revision:
    given = {name.lower(): value.strip() for name, value in inputs.items()}
    _check_inputs(given, source, reporter)
    workspace = place.folders.workspace
    folder = _find_folder(given.get("path", ""), workspace)
    if leads_out(folder, place.folders.root, place.session):
        raise CheckoutError(f"Repository path '{folder}' leads out of the job's folder by a link")
    revision = _find_revision(given.get("ref", ""), source)
    tree, committed = _find_trees(revision, source)
    wish = _make_wish(given, tree, source)
    content = source.provide(wish)
    clean = _is_true(given.get("clean", "true"))
    _prepare_folder(place.session.see(folder), source, clean=clean)
    layers = place.folders.root / LAYERS if _may_layer(place, source, folder) else None
    wide = source.user.folders.is_wide
    filled = fill_folder(content, folder, session=place.session, layers=layers, wide=wide)
    index = _make_index(content.base, committed, filled, source)
    _make_git(filled, content.base, revision, source, wish, index)
    for number, module in enumerate(wish.submodules, 1):
        index = _find_index(content.base, number, module.sha, filled, source)
        make_submodule_git(module, filled.folder, index=index, submodules=wish.submodules)
    reporter.log.write_line(_describe(revision, source, changed=tree != committed))
    return revision


def _may_layer(place: StepPlace, source: Source, folder: Path) -> bool:
    """Tell whether a folder may be a mount of the job's own; a daemon would not see into one."""
    if not source.layered or folder != place.folders.workspace:
        return False
    named = (token.value for token in list_uses(place.steps))
    uses = [name for name in named if not is_checkout(name)]
    if not uses:
        return True
    # Imported only where there are other actions.
    from windlass.jobs.actions.container_needs import may_need_daemon

    return not may_need_daemon(uses, place.prepared, source.root)


def _make_wish(given: Mapping[str, str], tree: str, source: Source) -> Wish:
    lines = tuple(line.strip() for line in given.get("sparse-checkout", "").splitlines())
    is_cone = _is_true(given.get("sparse-checkout-cone-mode", "true"))
    wanted = given.get("submodules", "false").lower()
    return Wish(
        tree=tree,
        sparse=Sparse(tuple(filter(None, lines)), is_cone) if any(lines) else None,
        has_large_files=_is_true(given.get("lfs", "false")),
        submodules=source.list_submodules(tree, recursive=wanted == "recursive")
        if wanted in ("true", "recursive")
        else (),
    )


def _make_index(base: Base, committed: str, filled: Filled, source: Source) -> bytes:
    """Return git's index for the workspace; empty where the overlay shows the right one."""
    if filled.is_layered and base.tree == committed:
        return b""
    return _find_index(base, 0, committed, filled, source)


def _find_index(base: Base, part: int, tree: str, filled: Filled, source: Source) -> bytes:
    index = source.find_index(base, part, tree)
    if filled.is_layered:
        return index
    return put_facts(index, filled.facts[part], wide=source.user.folders.is_wide)


def _check_inputs(given: Mapping[str, str], source: Source, reporter: StepReporter) -> None:
    known = HONOURED | WITHOUT_EFFECT
    unexpected = [name for name in given if name not in known]
    if unexpected:
        names = "', '".join(unexpected)
        valid = "', '".join(sorted(known))
        reporter.annotate("warning", f"Unexpected input(s) '{names}', valid inputs are ['{valid}']")
    repository = given.get("repository") or source.repository.full_name
    if repository.lower() != source.repository.full_name.lower():
        raise CheckoutError(
            f"actions/checkout: only the repository itself ({source.repository.full_name}) can be "
            f"checked out, not '{repository}'"
        )


def _find_folder(path: str, workspace: Path) -> Path:
    folder = Path(os.path.normpath(workspace / path))
    if folder != workspace and workspace not in folder.parents:
        raise CheckoutError(f"Repository path '{folder}' is not under '{workspace}'")
    return folder


def _find_revision(ref: str, source: Source) -> Revision:
    """Resolve the input `ref`: a branch, a tag, a full ref or a commit of this repository."""
    if not ref:
        return Revision(source.sha, source.ref, is_event=True)
    if ref == source.ref:
        return Revision(source.sha, ref, is_event=True)
    for candidate in _candidates(ref):
        sha = _resolve(candidate, source.root)
        if sha is not None:
            name = ref if SHA.fullmatch(ref) else candidate.replace("remotes/origin", "heads")
            return Revision(sha, name, is_event=sha == source.sha)
    if SHA.fullmatch(ref):
        raise CheckoutError(
            f"actions/checkout: there is no commit {ref} in {source.root}; fetch it first"
        )
    raise CheckoutError(
        f"A branch or tag with the name '{ref}' could not be found in {source.root}; fetch it "
        "first if it is on the server only"
    )


def _candidates(ref: str) -> list[str]:
    if SHA.fullmatch(ref):
        return [ref]
    if ref.lower().startswith("refs/"):
        return [ref, ref.replace("refs/heads/", "refs/remotes/origin/", 1)]
    return [f"refs/heads/{ref}", f"refs/remotes/origin/{ref}", f"refs/tags/{ref}"]


def _resolve(revision: str, root: Path) -> str | None:
    question = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    answer = ask(question, folder=root).answer()
    return decode(answer.output).strip() if answer.code == 0 else None


def _find_trees(revision: Revision, source: Source) -> tuple[str, str]:
    """Return the tree to check out and that of its commit; they differ by the user's changes."""
    committed = source.find_tree_of(revision.sha)
    if committed is None:
        raise CheckoutError(
            f"actions/checkout: the event's commit {revision.sha} is not in {source.root}"
        )
    tree = source.find_tree()
    is_head = revision.is_event and revision.sha == source.repository.head_sha
    return (tree if is_head else committed), committed


def _prepare_folder(folder: Path, source: Source, *, clean: bool) -> None:
    """Empty a folder, unless it is a checkout of the repository that is not to be cleaned.

    Of such a one the files that Git knows go: they are put anew.
    Source: https://github.com/actions/checkout src/git-directory-helper.ts
    """
    if clean or not _is_checkout_of(folder, source):
        empty_folder(folder)
        return
    index = folder / ".git/index"
    known = GitIndex(index.read_bytes(), wide=source.user.folders.is_wide)
    plain = {"": True}
    for entry in known.entries():
        name = os.fsdecode(entry.name)
        if entry.mode != SUBMODULE and _is_plain(folder, name.rpartition("/")[0], plain):
            remove_entry(folder / name)


def _is_plain(folder: Path, inner: str, known: dict[str, bool]) -> bool:
    """Tell whether a path leads to a folder within, and through no link that a step made."""
    if inner not in known:
        above, _, name = inner.rpartition("/")
        path = folder / inner
        known[inner] = (
            name not in ("", "..")
            and _is_plain(folder, above, known)
            and not path.is_symlink()
            and path.is_dir()
        )
    return known[inner]


def _is_checkout_of(folder: Path, source: Source) -> bool:
    """Tell whether a folder has a `.git` of its own that names the repository as its origin."""
    git = folder / ".git"
    if folder.is_symlink() or git.is_symlink() or not (git / "index").is_file():
        return False
    try:
        config = (git / "config").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return describe_origin(_origin_of(source)) in config


def _origin_of(source: Source) -> str:
    """Return the URL of the remote: never the user's own, which may hold a password."""
    return f"{source.repository.server_url}/{source.repository.full_name}"


def _make_git(
    filled: Filled, base: Base, revision: Revision, source: Source, wish: Wish, index: bytes
) -> None:
    if not filled.is_layered:
        remove_entry(filled.folder / ".git")
    make_job_git(
        source.root,
        filled.folder,
        sha=revision.sha,
        ref=revision.ref,
        origin=_origin_of(source),
        user=source.user,
        index=index,
        sparse=wish.sparse,
        submodules=wish.submodules,
    )
    if wish.sparse is not None:
        (filled.folder / ".git" / PATTERNS).write_bytes((base.shadow / PATTERNS).read_bytes())


def _describe(revision: Revision, source: Source, *, changed: bool) -> str:
    text = f"Checked out {source.repository.full_name} at {revision.sha} ({revision.ref})"
    if changed:
        return f"{text} with the changes that are not committed yet"
    if source.committed_only:
        return f"{text}, committed content only"
    return text


def _is_true(value: str) -> bool:
    """Read a boolean input; actions/checkout takes whatever is not `true` as false."""
    return value.upper() == "TRUE"
