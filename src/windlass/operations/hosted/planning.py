"""What an event starts in a repository of the server: its workflows planned, its runs drafted.

Nothing of the repository is run here, and no more of it is written to disk than its workflow files.
Where jobs run is for runners to say.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.events.checkouts import WORKFLOWS, check_out, find_workflows
from windlass.git.commit_facts import compare_commits, read_commit
from windlass.git.folders import BRANCH_PREFIX, TAG_PREFIX
from windlass.git.remotes import read_remote
from windlass.lang.diagnostics import Diagnostic, Severity
from windlass.lang.expressions import to_text
from windlass.model.repository import Repository
from windlass.model.values import dataclass, replace
from windlass.operations.default_place import DefaultPlace
from windlass.operations.definitions import Definition, Given
from windlass.operations.hosted.repository_settings import allows, find_rule, read_settings
from windlass.operations.plans import PlanOptions, plan_repository
from windlass.operations.readiness import judge
from windlass.plan.calls import find_called
from windlass.plan.decision import Verdict
from windlass.plan.default_place import NoPlace
from windlass.plan.event import Event
from windlass.plan.selection import Selection
from windlass.plan.synthesis import EventWishes, synthesise_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.db.repositories import RepositoryRow
    from windlass.events.mirrors import Mirrors
    from windlass.events.occasions import Occasion
    from windlass.git.commit_facts import Changes, CommitFacts
    from windlass.git.objects import ObjectReader
    from windlass.model.repository_settings import BranchRule
    from windlass.operations.hosted.site import Site
    from windlass.operations.loading import Library
    from windlass.operations.plans import Planning
    from windlass.plan.plan import Plan, WorkflowPlan

_SKIPPED: Final = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]")
_SKIP_TRAILER: Final = re.compile(r"\n\n(?:.*\n)*skip-checks: ?true\s*\Z", re.IGNORECASE)
_SKIPPABLE: Final = frozenset({"push", "pull_request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The runs that an event is to start, and what is to be said of those that it is not.

    `diagnostics` are mistakes in the files or the call; `refused` says that they kept some from
    starting, `held` that a rule did, `skipped` that nothing is for that event. `files` is the tree
    of the commit's workflow files, empty where it has none; None where there is no commit.
    """

    definitions: tuple[Definition, ...] = ()
    messages: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    refused: bool = False
    held: bool = False
    skipped: bool = False
    files: str | None = None


class RunnersPlace(DefaultPlace):
    """Where jobs run of which nothing is said: whoever takes them knows."""

    def find(self) -> NoPlace:
        """Return that nobody knows yet."""
        return NoPlace("a runner decides where a job runs", "see its settings")


def plan_occasion(
    site: Site,
    mirrors: Mirrors,
    repository: RepositoryRow,
    occasion: Occasion,
    payload: Mapping[str, Any],
) -> Outcome:
    """Plan what an event starts at its commit, which the mirror has.

    Raises:
        InputError: the workflow files cannot be read.
        PlatformError: git failed, or the disk is full.
    """
    objects = mirrors.read(repository.id)
    if objects is None:
        return _miss_commit(occasion)
    with objects:
        return _plan_commit(site, mirrors, objects, repository, occasion, payload)


def _plan_commit(
    site: Site,
    mirrors: Mirrors,
    objects: ObjectReader,
    repository: RepositoryRow,
    occasion: Occasion,
    payload: Mapping[str, Any],
) -> Outcome:
    sha = find_commit(objects, occasion)
    commit = None if sha is None else read_commit(objects, sha)
    if commit is None:
        return _miss_commit(occasion)
    files = find_workflows(objects, commit.sha)
    if not files:
        message = f"the commit {commit.sha[:12]} has no workflows in {WORKFLOWS}"
        return Outcome(messages=(message,), files=files)
    if occasion.name in _SKIPPABLE and is_skipped(commit.message):
        message = "the message of the commit asks for no runs: [skip ci]"
        return Outcome(messages=(message,), files=files)
    rule = find_rule(read_settings(repository.settings), occasion.branch)
    with check_out(objects, site.data / "planning", commit.sha) as root:
        if occasion.path and not is_workflow(root, occasion.path):
            return Outcome(messages=(f"{occasion.ref} has no workflow {occasion.path}",))
        facts = _gather_facts(mirrors, objects, repository, occasion, root, commit)
        planning = _plan(site, repository, occasion, payload, facts, rule)
        return replace(_draft(planning, occasion, rule), files=files)


def _miss_commit(occasion: Occasion) -> Outcome:
    return Outcome(messages=(f"{occasion.ref} has no commit any more: {occasion.revisions[0]}",))


def find_commit(objects: ObjectReader, occasion: Occasion) -> str | None:
    """Return the commit that an event is about; None where the mirror has none of its revisions."""
    for revision in occasion.revisions:
        if revision.startswith("refs/pull/") and revision.endswith("/merge"):
            merged = objects.find_commit(f"{revision}^2")
            if merged != occasion.head_sha:
                continue
        found = objects.find_commit(revision)
        if found is not None:
            return found
    return None


def is_workflow(root: Path, path: str) -> bool:
    """Tell whether a path is that of a workflow file of a checkout, and of nothing else."""
    folder, _, name = path.rpartition("/")
    return folder == WORKFLOWS and name not in ("", ".", "..") and (root / path).is_file()


def is_skipped(message: str) -> bool:
    """Tell whether the message of a commit asks for no runs.

    Source: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
    """
    return bool(_SKIPPED.search(message) or _SKIP_TRAILER.search(message))


def _gather_facts(
    mirrors: Mirrors,
    objects: ObjectReader,
    repository: RepositoryRow,
    occasion: Occasion,
    root: Path,
    commit: CommitFacts,
) -> Repository:
    """Return the facts of a commit, with the files that the event has changed."""
    owner, _, name = repository.name.partition("/")
    remote = read_remote(repository.location)
    parent = commit.parents[0] if commit.parents else None
    of_commit = compare_commits(objects, parent, commit.sha)
    facts = Repository(
        root=str(root),
        owner=owner,
        name=name,
        head_sha=commit.sha,
        base_sha=parent,
        branch=_strip(occasion.ref, BRANCH_PREFIX),
        tag=_strip(occasion.ref, TAG_PREFIX),
        default_branch=repository.default_branch,
        author_name=commit.author_name,
        author_email=commit.author_email,
        commit_message=commit.message,
        commit_timestamp=commit.timestamp,
        changed_files=_list_changes(mirrors, objects, repository.id, occasion, commit, of_commit),
        added_files=tuple(path for path, it in (of_commit or {}).items() if it == "A"),
        removed_files=tuple(path for path, it in (of_commit or {}).items() if it == "D"),
    )
    return facts if remote is None else replace(facts, server_url=remote.server_url)


def _strip(ref: str, prefix: str) -> str | None:
    return ref.removeprefix(prefix) if ref.startswith(prefix) else None


def _list_changes(
    mirrors: Mirrors,
    objects: ObjectReader,
    repository: str,
    occasion: Occasion,
    commit: CommitFacts,
    of_commit: Changes | None,
) -> tuple[str, ...] | None:
    """Return the files that an event has changed; None where nobody can say."""
    after = occasion.head_sha if occasion.name == "pull_request_target" else commit.sha
    if occasion.before:
        before = objects.find_commit(occasion.before)
    elif occasion.since_branch:
        branch = f"{BRANCH_PREFIX}{occasion.since_branch}"
        before = mirrors.find_merge_base(repository, branch, after)
    else:
        return _list_paths(of_commit)
    if before is None:
        return None
    if (before, after) == (next(iter(commit.parents), None), commit.sha):
        return _list_paths(of_commit)
    return _list_paths(compare_commits(objects, before, after))


def _list_paths(changes: Changes | None) -> tuple[str, ...] | None:
    return None if changes is None else tuple(changes)


def _plan(
    site: Site,
    repository: RepositoryRow,
    occasion: Occasion,
    payload: Mapping[str, Any],
    facts: Repository,
    rule: BranchRule | None,
) -> Planning:
    variables = {**site.values.find_variables(repository.id), **(rule.variables if rule else {})}
    options = PlanOptions(
        workflows=Path(facts.root, occasion.path) if occasion.path else None,
        variables=variables,
        default_place=RunnersPlace(),
    )

    def make(facts: Repository, _library: Library) -> Event | Diagnostic:
        return make_event(facts, occasion, payload)

    return plan_repository(facts, make, options)


def make_event(
    facts: Repository, occasion: Occasion, payload: Mapping[str, Any]
) -> Event | Diagnostic:
    """Return the event as workflows see it.

    A payload with a repository is a webhook's, and is left as it is; what others leave out is made
    up from the facts of the commit.
    """
    if "repository" in payload:
        sender = payload.get("sender")
        actor = sender.get("login") if isinstance(sender, dict) else None
        whole, named = dict(payload), actor if isinstance(actor, str) else facts.owner
    else:
        made = synthesise_event(
            occasion.name, facts, EventWishes(ref=occasion.ref, payload=payload)
        )
        if isinstance(made, Diagnostic):
            return made
        whole, named = dict(made.payload), made.actor
    return Event(
        name=occasion.name,
        payload=whole,
        sha=facts.head_sha,
        ref=occasion.ref,
        base_ref=occasion.base_ref,
        head_ref=occasion.head_ref,
        actor=named,
        changed_files=facts.changed_files,
    )


def _draft(planning: Planning, occasion: Occasion, rule: BranchRule | None) -> Outcome:
    """Return the runs that a plan is to start."""
    readiness = judge(planning, occasion.name, {})
    meant = readiness.ready
    allowed = [it for it in meant if allows(rule, it.path)]
    held = [
        f"{it.path} does not start on '{occasion.branch}': a rule of the repository names others"
        for it in meant
        if it not in allowed
    ]
    errors = [it for it in readiness.diagnostics if it.severity is Severity.ERROR]
    said = [describe_finding(it) for it in readiness.diagnostics if it.severity is Severity.ERROR]
    if not meant and not errors:
        said.append(f"'{occasion.name}' starts no workflow at {occasion.ref}")
    return Outcome(
        definitions=tuple(_define(planning, it, occasion, rule) for it in allowed),
        messages=(*said, *held),
        diagnostics=readiness.diagnostics,
        refused=bool(readiness.refused or errors),
        held=bool(held),
        skipped=planning.plan is not None and not _starts(planning.plan),
    )


def _starts(plan: Plan) -> bool:
    return any(it.decision.verdict is not Verdict.SKIP for it in plan.workflows)


def _define(
    planning: Planning, plan: WorkflowPlan, occasion: Occasion, rule: BranchRule | None
) -> Definition:
    """Return the definition of a run that has neither id nor number yet."""
    event = planning.event
    assert event is not None  # noqa: S101 (there is a plan)
    workflow = next(it for it in planning.library.workflows if it.path == plan.path)
    texts = {it: planning.library.texts[it] for it in (workflow.path, *find_called(workflow))}
    inputs: Any = event.payload.get("inputs") if event.name == "workflow_dispatch" else {}
    return Definition(
        run="",
        attempt=0,
        number=0,
        created=0.0,
        name=plan.name,
        path=plan.path,
        texts={path: text.decode("utf-8", "surrogateescape") for path, text in texts.items()},
        repository=replace(planning.repository, root=""),
        event=event,
        given=Given(
            inputs={name: to_text(value) for name, value in (inputs or {}).items()},
            vars=rule.variables if rule else {},
        ),
        selection=Selection(None, {}),
        places={},
        allowed_environments=frozenset(),
        committed=True,
        keep=False,
        max_jobs=None,
        sources=planning.sources,
        from_fork=occasion.from_fork,
    )


def describe_finding(finding: Diagnostic) -> str:
    """Return in one line what was found, where, and what to do."""
    place = ""
    if finding.span is not None:
        start = finding.span.start
        place = f"{finding.span.path}:{start.line}:{start.column}: "
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{place}{finding.message}{hint}"
