"""The state machine of one run: which job starts, is skipped or cancelled, and how the run ends.

Pure and deterministic: `receive` takes one signal and returns the orders it leads to, so the list
of signals is the whole truth about a run. A job starts as soon as everything it needs has ended.
A signal that no longer matters (a job that is not running, anything after `FinishRun`) leads to no
orders. The time it takes grows with jobs and edges, not with their product.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.lang.expressions import Unknown
from windlass.lang.workflow.model import CallJob
from windlass.model.status import Result
from windlass.plan.calls import combine_results, evaluate_outputs
from windlass.plan.concurrency import evaluate_concurrency
from windlass.plan.conditions import decide_job
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.graph import Entrance, LegRun, Level, Node, build_level, find_holder
from windlass.plan.groups import describe_deadlock
from windlass.plan.keys import describe_fault
from windlass.plan.launch import leg_contexts, name_leg, open_call, prepare_job
from windlass.plan.matrix import expand
from windlass.plan.orders import (
    CancelJob,
    DropJob,
    EnterGroup,
    FinishRun,
    LeaveGroup,
    RejectJob,
    SkipJob,
)
from windlass.plan.selection import Selection, select_jobs
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Job, Workflow
    from windlass.plan.matrix import Leg
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal

_EVERYTHING: Final = Selection()


class RunMachine:
    """One run of one workflow."""

    def __init__(
        self,
        workflow: Workflow,
        contexts: Mapping[str, Value],
        *,
        selection: Selection = _EVERYTHING,
    ) -> None:
        """Take the workflow and the contexts that hold for all of it: github, inputs and vars.

        `selection` limits the run to one job with all it needs, and to some legs of matrices.
        """
        self._root = Level(workflow=workflow, contexts=contexts)
        self._selection = selection
        self._running: dict[str, LegRun] = {}
        self._keys: set[str] = set()
        self._entrances: dict[str, Entrance] = {}
        self._orders: list[Order] = []
        self._tasks: deque[Callable[[], None]] = deque()
        self._started = False
        self._finished = False

    def receive(self, signal: Signal) -> list[Order]:
        """Take one signal; return what is to be done now, in order."""
        if self._finished:
            return []
        self._orders = []
        match signal:
            case RunStarted():
                self._start()
            case JobFinished():
                self._finish_job(signal)
            case CancelRequested():
                self._cancel(self._root, signal.reason)
            case JobCancelRequested(key, reason):
                self._cancel_one(key, reason)
            case GroupEntered(key):
                self._enter_group(key)
            case GroupDenied(key, reason):
                self._be_denied(key, reason)
        while self._tasks:
            self._tasks.popleft()()
        return self._orders

    def _later(self, task: Callable[[], None]) -> None:
        """Keep a step of the graph for after the current one, so that no chain of jobs recurses."""
        self._tasks.append(task)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            chosen = select_jobs(self._root.workflow, self._selection)
            self._wait_for_group(self._root, partial(self._enter, self._root, chosen))

    def _enter(self, level: Level, chosen: Collection[str] | None = None) -> None:
        for node in build_level(level, chosen):
            self._later(partial(self._decide, node))
        if level.unfinished == 0:
            self._later(partial(self._leave, level))

    # One job: decide, expand, launch

    def _decide(self, node: Node) -> None:
        """Decide a job that waits for nothing more."""
        contexts = {**node.level.contexts, "needs": node.needs_context()}
        decision = decide_job(node.job.condition, contexts, node.ancestry())
        if isinstance(decision, PlanFault):
            self._reject_node(node, decision)
        elif decision.verdict is Verdict.RUN:
            self._expand(node, contexts)
        else:
            self._orders.append(SkipJob(node.key, node.name, decision))
            self._settle(node, Result.SKIPPED)

    def _expand(self, node: Node, contexts: Mapping[str, Value]) -> None:
        """Make the legs of a job and start as many as may run."""
        strategy = expand(node.job, contexts)
        if isinstance(strategy, Unknown):
            strategy = PlanFault("The strategy depends on a value that is not known")
        if isinstance(strategy, PlanFault):
            self._reject_node(node, strategy)
            return
        legs = [leg for leg in strategy.legs if self._selection.has_leg(leg.matrix)]
        if not legs:
            self._reject_node(node, self._selection.refuse_legs(node.job, strategy.legs))
            return
        node.fail_fast = strategy.fail_fast
        node.max_parallel = strategy.max_parallel
        node.queued.extend(self._make_leg(node, leg, contexts) for leg in legs)
        self._launch(node)

    def _make_leg(self, node: Node, leg: Leg, contexts: Mapping[str, Value]) -> LegRun:
        level = node.level
        own = leg_contexts(node.job, leg, contexts)
        name = name_leg(node.job, leg, own)
        return LegRun(
            node=node,
            key=self._make_unique(level.key_of(leg.key)),
            name=level.name_of(leg.name if isinstance(name, PlanFault) else name),
            contexts=own,
            fault=name if isinstance(name, PlanFault) else None,
        )

    def _make_unique(self, key: str) -> str:
        """Return a key that no other leg has: values of a matrix may look like any other key."""
        unique, number = key, 2
        while unique in self._keys:
            unique, number = f"{key} #{number}", number + 1
        self._keys.add(unique)
        return unique

    def _launch(self, node: Node) -> None:
        """Start queued legs while `max-parallel` leaves room."""
        while node.queued and node.has_room():
            leg = node.queued.popleft()
            node.running[leg.key] = leg
            self._launch_leg(leg)
        if node.has_ended() and node.result is None:
            self._settle(node, combine_results(node.leg_results))

    def _launch_leg(self, leg: LegRun) -> None:
        """Start one leg, which is in `running` from now on until it ends."""
        job = leg.node.job
        if leg.fault is not None:
            self._reject_leg(leg, leg.fault)
        elif isinstance(job, CallJob):
            self._wait_for_group(leg, partial(self._call, leg))
        else:
            self._wait_for_group(leg, partial(self._start_job, leg, job))

    def _call(self, leg: LegRun) -> None:
        level = open_call(leg)
        if isinstance(level, PlanFault):
            self._reject_leg(leg, level)
            return
        leg.called = level
        self._wait_for_group(level, partial(self._enter, level))

    def _start_job(self, leg: LegRun, job: Job) -> None:
        order = prepare_job(
            job,
            key=leg.key,
            name=leg.name,
            workflow=leg.node.level.workflow,
            contexts=leg.contexts,
            handovers=leg.node.level.handovers,
            path=leg.node.path,
            ceiling=leg.node.level.ceiling,
        )
        if isinstance(order, PlanFault):
            self._reject_leg(leg, order)
            return
        leg.continue_on_error = order.continue_on_error
        self._running[leg.key] = leg
        self._orders.append(order)

    # Concurrency groups

    def _wait_for_group(self, owner: Level | LegRun, proceed: Callable[[], None]) -> None:
        """Go on at once, or as soon as the concurrency group of a run, a call or a job lets it."""
        token = owner.group_token
        if token is None:
            proceed()
            return
        concurrency = evaluate_concurrency(token, owner.contexts)
        if isinstance(concurrency, Unknown):
            concurrency = PlanFault("The group depends on a value that is not known", token.span)
        if isinstance(concurrency, PlanFault):
            self._reject_owner(owner, concurrency)
            return
        owner.entrance = Entrance(owner=owner, concurrency=concurrency, proceed=proceed)
        holder = find_holder(owner, concurrency)
        if holder is not None:
            deadlock = describe_deadlock(concurrency.group, holder, owner.group_name)
            self._give_up(owner, deadlock)
            return
        self._entrances[owner.group_key] = owner.entrance
        self._orders.append(EnterGroup(owner.group_key, owner.group_name, concurrency))

    def _enter_group(self, key: str) -> None:
        entrance = self._entrances.get(key)
        if entrance is not None and not entrance.entered:
            entrance.entered = True
            self._later(entrance.proceed)

    def _be_denied(self, key: str, reason: str) -> None:
        entrance = self._entrances.get(key)
        if entrance is not None and not entrance.entered:
            del self._entrances[key]
            self._give_up(entrance.owner, reason)

    def _leave_group(self, owner: Level | LegRun) -> None:
        if self._entrances.pop(owner.group_key, None) is not None:
            self._orders.append(LeaveGroup(owner.group_key))

    def _is_waiting(self, owner: Level | LegRun) -> bool:
        entrance = self._entrances.get(owner.group_key)
        return entrance is not None and not entrance.entered

    def _give_up(self, owner: Level | LegRun, reason: str) -> None:
        """End as cancelled what has not begun."""
        self._leave_group(owner)
        if isinstance(owner, LegRun):
            self._orders.append(DropJob(owner.key, owner.name, reason, owner.node.path))
            self._later(partial(self._end_leg, owner, Result.CANCELLED, {}))
            return
        owner.cancelled = True
        if owner.caller is not None:
            self._give_up(owner.caller, reason)
        else:
            self._finish_run(Result.CANCELLED, reason)

    def _reject_owner(self, owner: Level | LegRun, fault: PlanFault) -> None:
        """Fail what has a group that cannot be evaluated; of a run, every job."""
        leg = owner if isinstance(owner, LegRun) else owner.caller
        if leg is not None:
            self._reject_leg(leg, fault)
            return
        for job in self._root.workflow.jobs:
            self._orders.append(RejectJob(job.id, job.id, describe_fault(fault), (job.id,)))
        self._finish_run(Result.FAILURE)

    # How legs, jobs and levels end

    def _finish_job(self, signal: JobFinished) -> None:
        leg = self._running.pop(signal.key, None)
        if leg is None:
            return
        leg.continue_on_error = leg.continue_on_error and signal.started
        self._end_leg(leg, signal.result, signal.outputs)

    def _reject_leg(self, leg: LegRun, fault: PlanFault) -> None:
        self._orders.append(RejectJob(leg.key, leg.name, describe_fault(fault), leg.node.path))
        self._later(partial(self._end_leg, leg, Result.FAILURE, {}))

    def _reject_node(self, node: Node, fault: PlanFault) -> None:
        self._orders.append(RejectJob(node.key, node.name, describe_fault(fault), node.path))
        self._settle(node, Result.FAILURE)

    def _end_leg(self, leg: LegRun, result: Result, outputs: Mapping[str, str]) -> None:
        """Count one leg's end; of outputs that several legs set, the last non-empty one wins."""
        node = leg.node
        if node.running.pop(leg.key, None) is None:
            return
        self._leave_group(leg)
        node.outputs.update({name: value for name, value in outputs.items() if value})
        forgiven = result is Result.FAILURE and leg.continue_on_error
        node.leg_results.add(Result.SUCCESS if forgiven else result)
        if result is Result.FAILURE and not forgiven and node.fail_fast:
            self._stop_legs(node, f"{leg.name} failed and fail-fast is on")
        self._launch(node)

    def _stop_legs(self, node: Node, reason: str) -> None:
        """Drop the queued legs of a matrix and cancel the running ones."""
        self._drop_queued(node, reason)
        for leg in node.running.values():
            self._cancel_leg(leg, reason)

    def _drop_queued(self, node: Node, reason: str) -> None:
        for leg in node.queued:
            self._orders.append(DropJob(leg.key, leg.name, reason, node.path))
            node.leg_results.add(Result.CANCELLED)
        node.queued.clear()

    def _settle(self, node: Node, result: Result) -> None:
        """End a job: whoever waited only for it is decided next."""
        for dependent in node.settle(result):
            self._later(partial(self._decide, dependent))
        level = node.level
        level.unfinished -= 1
        if level.unfinished == 0:
            self._later(partial(self._leave, level))

    def _leave(self, level: Level) -> None:
        """End a level: the run itself, or a called workflow."""
        result = combine_results({node.result for node in level.nodes.values() if node.result})
        self._leave_group(level)
        if level.caller is None:
            self._finish_run(result)
            return
        contexts = {**level.contexts, "jobs": level.results_context()}
        outputs = evaluate_outputs(level.workflow, contexts)
        if isinstance(outputs, PlanFault):
            self._reject_leg(level.caller, outputs)
        else:
            self._end_leg(level.caller, result, outputs)

    def _finish_run(self, result: Result, reason: str = "") -> None:
        """A run is as bad as its worst job; a cancelled one is never a success."""
        if result is not Result.FAILURE and self._root.cancelled:
            result = Result.CANCELLED
        self._finished = True
        result = Result.SUCCESS if result is Result.SKIPPED else result
        self._orders.append(FinishRun(result, reason))

    # Cancellation

    def _cancel(self, level: Level, reason: str) -> None:
        """Cancel a level: jobs whose condition still holds go on, as on GitHub.

        Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
        """
        if level.cancelled or not self._started:
            return
        if self._is_waiting(level):
            self._give_up(level, reason)
            return
        level.cancelled = True
        for node in list(level.nodes.values()):
            for leg in node.running.values():
                if leg.called is not None:
                    self._cancel(leg.called, reason)
            if (node.running or node.queued) and not self._still_holds(node):
                self._stop_legs(node, reason)
                self._later(partial(self._launch, node))

    def _still_holds(self, node: Node) -> bool:
        contexts = {**node.level.contexts, "needs": node.needs_context()}
        decision = decide_job(node.job.condition, contexts, node.ancestry())
        return isinstance(decision, Decision) and decision.verdict is Verdict.RUN

    def _cancel_one(self, key: str, reason: str) -> None:
        """Cancel one job, or what else waits for a group or is in one."""
        entrance = self._entrances.get(key)
        owner = self._running.get(key) if entrance is None else entrance.owner
        if isinstance(owner, Level):
            self._cancel(owner, reason)
        elif owner is not None:
            self._cancel_leg(owner, reason)

    def _cancel_leg(self, leg: LegRun, reason: str) -> None:
        if self._is_waiting(leg):
            self._give_up(leg, reason)
        elif leg.called is not None:
            self._cancel(leg.called, reason)
        elif leg.key in self._running and not leg.cancelled:
            leg.cancelled = True
            self._orders.append(CancelJob(leg.key, reason))
