"""Which jobs need a Docker daemon: by what their scripts call, and by the actions they use.

Text decides, before anything runs. A script that calls Docker in a roundabout way (from Python, by
a Makefile) is not seen; a user may say of a label that its jobs need a daemon, or that they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.action.model import CompositeRuns
from windlass.lang.docker_calls import find_call, is_docker_action
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.lang.workflow.model import ActionStep, ParallelStep, RunStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.lang.workflow.model import Step
    from windlass.plan.steps import LoadedAction

_LONGEST: Final = 70


def find_docker_use(
    steps: Iterable[Step], actions: Mapping[str, LoadedAction] | None = None
) -> str | None:
    """Return why steps need a Docker daemon, in words for a log; None where they do not.

    `actions` are those that were loaded, by what `uses` says: composite ones are looked into.
    """
    return next(_find_reasons(steps, actions or {}, set()), None)


def _find_reasons(
    steps: Iterable[Step], actions: Mapping[str, LoadedAction], seen: set[str]
) -> Iterator[str]:
    for step in steps:
        if isinstance(step, RunStep):
            if call := find_call(_text_of(step)):
                yield f"`{_shorten(call)}`"
        elif isinstance(step, ParallelStep):
            yield from _find_reasons(step.steps, actions, seen)
        elif isinstance(step, ActionStep):
            yield from _look_at_action(step.uses.value, actions, seen)


def _look_at_action(
    uses: str, actions: Mapping[str, LoadedAction], seen: set[str]
) -> Iterator[str]:
    if is_docker_action(uses):
        yield uses
    loaded = actions.get(uses)
    if loaded is None or uses in seen:
        return
    seen.add(uses)
    if isinstance(loaded.action.runs, CompositeRuns):
        for reason in _find_reasons(loaded.action.runs.steps, actions, seen):
            yield f"{uses}: {reason}"


def _text_of(step: RunStep) -> str:
    """Return the script as it is written; expressions in it are left as they are."""
    token = step.run
    if isinstance(token, ExpressionToken):
        return token.source
    return token.value if isinstance(token, StringToken) else ""


def _shorten(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
