"""Workflows built by hand for the state machines, without a reader in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.lang.positions import Position, Span
from windlass.lang.tokens import (
    BooleanToken,
    ExpressionToken,
    MappingToken,
    NumberToken,
    SequenceToken,
    StringToken,
    Token,
)
from windlass.lang.workflow.model import (
    CallJob,
    Condition,
    EventFilter,
    Job,
    OutputDefinition,
    RunDefaults,
    RunStep,
    Triggers,
    Workflow,
)
from windlass.model.status import Result
from windlass.plan.orders import Order, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import JobFinished, RunStarted, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPAN = Span("w.yml", Position(1, 1), Position(1, 2))
CONTEXTS = {"github": {"event_name": "push", "ref": "refs/heads/main"}, "inputs": {}, "vars": {}}


def token(value: Any) -> Token:
    """Turn plain data into tokens; a string of `${{ … }}` alone becomes an expression."""
    if isinstance(value, dict):
        return mapping(value)
    if isinstance(value, list):
        return SequenceToken(tuple(token(item) for item in value), SPAN)
    if isinstance(value, bool):
        return BooleanToken(value, SPAN)
    if isinstance(value, int | float):
        return NumberToken(float(value), str(value), SPAN)
    if value.startswith("${{"):
        return ExpressionToken(value[3:-2].strip(), value, SPAN)
    return StringToken(value, SPAN)


def mapping(value: Mapping[str, Any]) -> MappingToken:
    entries = tuple((StringToken(key, SPAN), token(item)) for key, item in value.items())
    return MappingToken(entries, SPAN)


def condition(text: str | None) -> Condition:
    """As the reader makes it: `success() && (…)` unless a status function is in it."""
    if text is None:
        return Condition("success()")
    names = ("success(", "failure(", "always(", "cancelled(")
    wrapped = text if any(name in text for name in names) else f"success() && ({text})"
    return Condition(wrapped, text, SPAN)


def run_step(id_: str = "", /, run: str = "true", if_: str | None = None, **keys: Any) -> RunStep:
    tokens = {key: token(value) for key, value in keys.items()}
    return RunStep(
        id=id_ or "__run",
        id_given=bool(id_),
        span=SPAN,
        run=token(run),
        condition=condition(if_),
        **tokens,
    )


def job(
    id_: str,
    needs: Sequence[str] = (),
    if_: str | None = None,
    steps: Sequence[RunStep] = (),
    **keys: Any,
) -> Job:
    tokens: dict[str, Any] = {
        key: value if isinstance(value, RunDefaults) else token(value)
        for key, value in keys.items()
    }
    tokens.setdefault("runs_on", token("ubuntu-latest"))
    return Job(
        id=id_,
        span=SPAN,
        needs=tuple(StringToken(need, SPAN) for need in needs),
        condition=condition(if_),
        steps=tuple(steps) or (run_step(),),
        **tokens,
    )


def call(id_: str, called: Workflow | None, needs: Sequence[str] = (), **keys: Any) -> CallJob:
    return CallJob(
        id=id_,
        span=SPAN,
        needs=tuple(StringToken(need, SPAN) for need in needs),
        uses=StringToken("./.github/workflows/called.yml", SPAN),
        called=called,
        condition=condition(keys.pop("if_", None)),
        **{key: token(value) for key, value in keys.items()},
    )


def workflow(*jobs: Job | CallJob, outputs: Mapping[str, str] | None = None) -> Workflow:
    definitions = {
        name: OutputDefinition(name=name, span=SPAN, value=token(value))
        for name, value in (outputs or {}).items()
    }
    push = EventFilter(name="push", span=SPAN)
    triggers = Triggers(span=SPAN, events={"push": push}, call_outputs=definitions)
    return Workflow(path=".github/workflows/w.yml", span=SPAN, triggers=triggers, jobs=jobs)


class Play:
    """Plays the world for a run machine: remembers the orders, sends the results it is told."""

    def __init__(self, *jobs: Job | CallJob, **options: Any) -> None:
        self.machine = RunMachine(workflow(*jobs), CONTEXTS, **options)
        self.orders: list[Order] = []
        self.send(RunStarted())

    def send(self, signal: Signal) -> list[Order]:
        orders = self.machine.receive(signal)
        self.orders += orders
        return orders

    def end(
        self, key: str, result: Result = Result.SUCCESS, outputs: Mapping[str, str] | None = None
    ) -> list[Order]:
        return self.send(JobFinished(key, result, outputs or {}))

    def started(self) -> list[str]:
        return [order.key for order in self.orders if isinstance(order, StartJob)]

    def order(self, kind: type[Order], key: str) -> Any:
        (found,) = [order for order in self.orders if isinstance(order, kind) and order.key == key]
        return found
