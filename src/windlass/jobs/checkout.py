"""The built-in `actions/checkout`: the repository itself, from this machine.

No network and no credentials are involved. The whole history is there, whatever `fetch-depth` says.
Source: https://github.com/actions/checkout action.yml, src/input-helper.ts
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import PlatformError
from windlass.git.commands import ask, decode, run
from windlass.git.trees import make_job_git, materialise_tree
from windlass.jobs.bases import copy_base, provide_base
from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.steps import StepEnd
from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.reports import StepReporter
    from windlass.jobs.source import Source
    from windlass.jobs.steps import StepPlace
    from windlass.plan.steps import StartStep

CHECKOUT = re.compile(r"actions/checkout@.+", re.IGNORECASE)

HONOURED = frozenset({"clean", "lfs", "path", "ref", "repository", "submodules"})
WITHOUT_EFFECT = frozenset(
    {
        "fetch-depth",
        "fetch-tags",
        "filter",
        "github-server-url",
        "persist-credentials",
        "set-safe-directory",
        "show-progress",
        "sparse-checkout-cone-mode",
        "ssh-key",
        "ssh-known-hosts",
        "ssh-strict",
        "ssh-user",
        "token",
    }
)
"""Inputs about the way to a server, or about how much of the history is left out on the way."""

REFUSED = frozenset({"sparse-checkout"})

SUBMODULE_MODE = "160000"
LFS_FILTER = b"filter=lfs"
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
        revision = _check_out(order.inputs, place.folders.workspace, source, reporter)
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
    inputs: Mapping[str, str], workspace: Path, source: Source, reporter: StepReporter
) -> Revision:
    given = {name.lower(): value.strip() for name, value in inputs.items()}
    _check_inputs(given, source, reporter)
    folder = _find_folder(given.get("path", ""), workspace)
    revision = _find_revision(given.get("ref", ""), source)
    tree, changed = _find_tree(revision, source)
    base = provide_base(
        source.bases, tree, lambda path: materialise_tree(tree, path, scratch=source.shadow)
    )
    _check_content(given, tree, base, source)
    if _is_true(given.get("clean", "true")):
        _empty(folder)
    copy_base(base, folder)
    _make_git(folder, revision, source)
    reporter.log.write_line(_describe(revision, source, changed=changed))
    return revision


def _check_inputs(given: Mapping[str, str], source: Source, reporter: StepReporter) -> None:
    known = HONOURED | WITHOUT_EFFECT | REFUSED
    unexpected = [name for name in given if name not in known]
    if unexpected:
        names = "', '".join(unexpected)
        valid = "', '".join(sorted(known))
        reporter.annotate("warning", f"Unexpected input(s) '{names}', valid inputs are ['{valid}']")
    for name in sorted(REFUSED):
        if given.get(name):
            raise CheckoutError(
                f"actions/checkout: the input '{name}' is not supported; leave it out to check out "
                "the whole repository"
            )
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


def _find_tree(revision: Revision, source: Source) -> tuple[str, bool]:
    """Return the tree to check out, and whether it has changes that are not committed."""
    if _resolve(revision.sha, source.root) is None:
        raise CheckoutError(
            f"actions/checkout: the event's commit {revision.sha} is not in {source.root}"
        )
    committed = decode(run(["rev-parse", f"{revision.sha}^{{tree}}"], folder=source.root)).strip()
    tree = source.find_tree()
    if revision.is_event and revision.sha == source.repository.head_sha:
        return tree, tree != committed
    return committed, False


def _check_content(given: Mapping[str, str], tree: str, base: Path, source: Source) -> None:
    if given.get("submodules", "false").lower() in ("true", "recursive"):
        variables = {"GIT_DIR": str(source.shadow.resolve())}
        listing = run(["ls-tree", "-r", "-z", tree], folder=source.root, variables=variables)
        modules = [
            decode(entry).partition("\t")[2]
            for entry in listing.split(b"\0")
            if entry.startswith(SUBMODULE_MODE.encode())
        ]
        if modules:
            raise CheckoutError(
                "actions/checkout: the input 'submodules' is not supported, and there are "
                f"submodules: {', '.join(modules)}"
            )
    if _is_true(given.get("lfs", "false")):
        attributes = [path for path in base.rglob(".gitattributes") if path.is_file()]
        if any(LFS_FILTER in path.read_bytes() for path in attributes):
            raise CheckoutError(
                "actions/checkout: the input 'lfs' is not supported, and files of this repository "
                "are kept by Git LFS"
            )


def _empty(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)  # noqa: PTH108


def _make_git(folder: Path, revision: Revision, source: Source) -> None:
    repository = source.repository
    # Never the user's own URL of the remote: it may hold a password.
    origin = f"{repository.server_url}/{repository.full_name}"
    if (folder / ".git").exists():
        shutil.rmtree(folder / ".git")
    make_job_git(source.root, folder, sha=revision.sha, ref=revision.ref, origin=origin)


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
