"""The jobs of a run as a graph that grows: called workflows and matrices add to it as they are met.

Each node carries what the status functions ask of all its ancestors, kept up as they end, so that
a run costs time in proportion to its jobs and edges.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from windlass.lang.casing import fold
from windlass.lang.tokens import StringToken
from windlass.model.status import Result
from windlass.model.values import dataclass, field
from windlass.plan.predecessors import Ancestry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob, PermissionLevel, Workflow
    from windlass.plan.concurrency import Concurrency
    from windlass.plan.faults import PlanFault
    from windlass.plan.orders import SecretHandover


@dataclass(slots=True, kw_only=True, eq=False)
class Entrance:
    """A concurrency group that a run, a call or a job is in or, until `entered`, waits for.

    `proceed` starts what waits.
    """

    owner: Level | LegRun
    concurrency: Concurrency
    proceed: Callable[[], None]
    entered: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Level:
    """The jobs of one workflow: of the run itself, or of one call of a reusable workflow.

    `caller` is the leg that called, `ceiling` what its token may do, `depth` how many workflows
    deep the level is; `unfinished` counts the jobs that have not ended.
    """

    workflow: Workflow
    contexts: Mapping[str, Value]
    caller: LegRun | None = None
    handovers: tuple[SecretHandover, ...] = ()
    ceiling: Mapping[str, PermissionLevel] | None = None
    depth: int = 1
    nodes: dict[str, Node] = field(default_factory=dict)
    unfinished: int = 0
    cancelled: bool = False
    entrance: Entrance | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The ids of the calls that lead to this level."""
        return () if self.caller is None else self.caller.node.path

    @property
    def group_token(self) -> Token | None:
        """The `concurrency:` of the workflow."""
        return self.workflow.concurrency

    @property
    def group_key(self) -> str:
        """What the level itself is called where it enters a concurrency group."""
        return self.key_of("")

    @property
    def group_name(self) -> str:
        """What people see of the level where it enters a concurrency group."""
        return self.workflow.name or self.workflow.path if self.caller is None else self.caller.name

    def key_of(self, key: str) -> str:
        """Return a key within this workflow as it is called within the run."""
        return key if self.caller is None else f"{self.caller.key} / {key}"

    def name_of(self, name: str) -> str:
        """Return what people see of a name within this workflow."""
        return name if self.caller is None else f"{self.caller.name} / {name}"

    def results_context(self) -> dict[str, Value]:
        """Return the `jobs` context: result and outputs of every job."""
        return {id_: node.summary for id_, node in self.nodes.items()}


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One job of one level, with all its legs.

    `unsuccessful` and `failed` are the first of all its transitive needs that did not succeed and
    that failed, kept up as these end; see `windlass.plan.predecessors.Ancestry`. `summary` is what
    `needs.<id>` and `jobs.<id>` show once the job has ended.
    """

    job: AnyJob
    level: Level
    needs: list[Node] = field(default_factory=list)
    dependents: list[Node] = field(default_factory=list)
    waiting: int = 0
    unsuccessful: tuple[str, Result] | None = None
    failed: tuple[str, Result] | None = None
    result: Result | None = None
    summary: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    queued: deque[LegRun] = field(default_factory=deque)
    running: dict[str, LegRun] = field(default_factory=dict)
    leg_results: set[Result] = field(default_factory=set)
    fail_fast: bool = True
    max_parallel: int | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The ids of the calls that lead to the job, and its own."""
        return (*self.level.path, self.job.id)

    @property
    def key(self) -> str:
        """The key of a job that has no legs."""
        return self.level.key_of(self.job.id)

    @property
    def name(self) -> str:
        """The name of a job that has no legs: what was written, else its id."""
        name = self.job.name
        plain = name.value if isinstance(name, StringToken) and name.value else self.job.id
        return self.level.name_of(plain)

    def needs_context(self) -> dict[str, Value]:
        """Return the `needs` context: the direct needs only."""
        return {need.job.id: need.summary for need in self.needs}

    def ancestry(self) -> Ancestry:
        """Return what the status functions of the job's condition look at."""
        return Ancestry(
            self.unsuccessful, self.failed, self.level.cancelled, _AncestorResults(self)
        )

    def has_room(self) -> bool:
        """Tell whether one more leg may start."""
        return self.max_parallel is None or len(self.running) < self.max_parallel

    def has_ended(self) -> bool:
        """Tell whether every leg has."""
        return not self.queued and not self.running

    def settle(self, result: Result) -> list[Node]:
        """Keep the job's result; return the dependents that wait for nothing more."""
        self.result = result
        self.summary = {"result": result.value, "outputs": self.outputs}
        own = (self.job.id, result)
        unsuccessful = self.unsuccessful or (own if result is not Result.SUCCESS else None)
        failed = self.failed or (own if result is Result.FAILURE else None)
        ready = []
        for dependent in self.dependents:
            dependent.unsuccessful = dependent.unsuccessful or unsuccessful
            dependent.failed = dependent.failed or failed
            dependent.waiting -= 1
            if dependent.waiting == 0:
                ready.append(dependent)
        return ready


@dataclass(slots=True, kw_only=True, eq=False)
class LegRun:
    """One leg of a job in this run; `called` is the level it opened where the job is a call."""

    node: Node
    key: str
    name: str
    contexts: Mapping[str, Value]
    fault: PlanFault | None = None
    continue_on_error: bool = False
    cancelled: bool = False
    called: Level | None = None
    entrance: Entrance | None = None

    @property
    def group_token(self) -> Token | None:
        """The `concurrency:` of the job."""
        return self.node.job.concurrency

    @property
    def group_key(self) -> str:
        """What the leg is called where it enters a concurrency group."""
        return self.key

    @property
    def group_name(self) -> str:
        """What people see of the leg where it enters a concurrency group."""
        return self.name


def find_holder(owner: Level | LegRun, concurrency: Concurrency) -> str | None:
    """Return the name of what a run, a call or a job is part of and is in the same group already.

    None where there is no such thing: the group may be waited for.
    """
    around: Level | LegRun | None = _around(owner)
    while around is not None:
        held = around.entrance
        if held is not None and held.concurrency.is_same_group(concurrency):
            is_run = isinstance(around, Level) and around.caller is None
            return "top level workflow" if is_run else around.group_name
        around = _around(around)
    return None


def _around(owner: Level | LegRun) -> Level | LegRun | None:
    return owner.caller if isinstance(owner, Level) else owner.node.level


def build_level(level: Level, chosen: Collection[str] | None = None) -> list[Node]:
    """Fill a level with its workflow's jobs and return those that need nothing, in file order.

    `chosen` limits them to jobs with these ids, which must hold all that they need.
    """
    jobs = [job for job in level.workflow.jobs if chosen is None or job.id in chosen]
    level.nodes = {job.id: Node(job=job, level=level) for job in jobs}
    level.unfinished = len(level.nodes)
    folded = {fold(id_): node for id_, node in level.nodes.items()}
    for node in level.nodes.values():
        names = dict.fromkeys(fold(need.value) for need in node.job.needs)
        node.needs = [folded[name] for name in names]
        node.waiting = len(node.needs)
        for need in node.needs:
            need.dependents.append(node)
    return [node for node in level.nodes.values() if node.waiting == 0]


class _AncestorResults(Mapping[str, Result]):
    """The results of all that one job needs, directly or not; looked up only when asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @cached_property
    def _results(self) -> dict[str, Result]:
        found: dict[str, Result] = {}
        waiting = deque(self._node.needs)
        while waiting:
            node = waiting.popleft()
            if node.job.id not in found and node.result is not None:
                found[node.job.id] = node.result
                waiting += node.needs
        return found

    def __getitem__(self, job: str) -> Result:
        return self._results[job]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)
