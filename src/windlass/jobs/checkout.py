"""The built-in `actions/checkout`: the repository itself, from this machine.

No network and no credentials are involved. The whole history is there, whatever `fetch-depth` says.
Another repository is fetched: see `windlass.jobs.other_checkout`.
Source: https://github.com/actions/checkout action.yml, src/input-helper.ts
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.errors import PlatformError
from windlass.git.commands import ask, decode
from windlass.git.job_git import make_job_git, make_submodule_git
from windlass.git.sparse import PATTERNS
from windlass.jobs.checkout_folders import find_folder, prepare_folder
from windlass.jobs.checkout_inputs import CheckoutError, describe_unexpected, read_inputs
from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.steps import StepEnd
from windlass.jobs.workspaces.contents import Wish
from windlass.jobs.workspaces.copies import put_facts
from windlass.jobs.workspaces.filling import fill_folder
from windlass.jobs.workspaces.removal import remove_entry
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.plan.references import list_uses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from windlass.jobs.checkout_inputs import CheckoutInputs
    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.source import Source
    from windlass.jobs.workspaces.bases import Base, Content
    from windlass.jobs.workspaces.filling import Filled
    from windlass.plan.steps import StartStep

CHECKOUT = re.compile(r"actions/checkout@.+", re.IGNORECASE)

LAYERS = "_layers"
"""In the job's folder: what an overlay keeps of the job's changes."""

SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


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
        with place.session.keep_still():
            revision = _check_out(order.inputs, place, source, reporter)
        effects.outputs.update(ref=revision.ref, commit=revision.sha)
        outcome = Result.SUCCESS
    except CheckoutError as error:
        reporter.annotate("error", str(error))
    except PlatformError as error:
        reporter.annotate("error", " ".join(filter(None, (error.message, error.hint))))
    except OSError as error:
        reporter.annotate_refusal(error)
    reporter.log.flush()
    return StepEnd(outcome, None, effects)


def _check_out(
    inputs: Mapping[str, str], place: StepPlace, source: Source, reporter: StepReporter
) -> Revision:
    given = read_inputs(inputs)
    if given.unexpected:
        reporter.annotate("warning", describe_unexpected(given.unexpected))
    if not _is_own(given, source):
        # Imported only where there is one.
        from windlass.jobs.other_checkout import check_out_other

        return check_out_other(given, place, source, reporter)
    folder = find_folder(given.path, place)
    revision = _find_revision(given.ref, source)
    tree, committed = _find_trees(revision, source)
    wish = _make_wish(given, tree, source)
    content = source.provide(wish)
    wide = source.user.folders.is_wide
    prepare_folder(place.session.see(folder), origin_of(source), clean=given.clean, wide=wide)
    layers = place.folders.root / LAYERS if _may_layer(place, source, folder) else None
    filled = fill_folder(content, folder, session=place.session, layers=layers, wide=wide)
    index = _make_index(content, committed, filled, source)
    _make_git(filled, content.base, revision, source, wish, index)
    for number, module in enumerate(wish.submodules, 1):
        index = _find_index(content, number, module.sha, filled, source)
        make_submodule_git(module, filled.folder, index=index, submodules=wish.submodules)
    reporter.log.write_line(_describe(revision, source, changed=tree != committed))
    return revision


def _is_own(given: CheckoutInputs, source: Source) -> bool:
    """Tell whether the repository itself is meant."""
    named = given.repository.lower() or source.repository.full_name.lower()
    server = given.server_url.lower() or source.repository.server_url.lower()
    return (named, server) == (
        source.repository.full_name.lower(),
        source.repository.server_url.lower(),
    )


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


def _make_wish(given: CheckoutInputs, tree: str, source: Source) -> Wish:
    recursive = given.submodules == "recursive"
    return Wish(
        tree=tree,
        sparse=given.sparse,
        has_large_files=given.lfs,
        submodules=source.list_submodules(tree, recursive=recursive) if given.submodules else (),
    )


def _make_index(content: Content, committed: str, filled: Filled, source: Source) -> bytes:
    """Return git's index for the workspace; empty where the overlay shows the right one."""
    if filled.is_layered and content.base.tree == committed:
        return b""
    return _find_index(content, 0, committed, filled, source)


def _find_index(content: Content, part: int, tree: str, filled: Filled, source: Source) -> bytes:
    index = source.find_index(content, part, tree)
    if filled.is_layered:
        return index
    return put_facts(index, filled.facts[part], wide=source.user.folders.is_wide)


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


def origin_of(source: Source) -> str:
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
        origin=origin_of(source),
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
