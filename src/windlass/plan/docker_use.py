"""Which jobs need a Docker daemon: by what their scripts call, and by the actions they use.

Text decides, before anything runs. A script that calls Docker in a roundabout way (from Python, by
a Makefile) is not seen; a user may say of a label that its jobs need a daemon, or that they do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.lang.action.model import CompositeRuns
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.lang.workflow.model import ActionStep, ParallelStep, RunStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.lang.workflow.model import Step
    from windlass.plan.steps import LoadedAction

PROGRAMS: Final = frozenset(
    (
        "docker", "docker-compose", "docker-buildx",
        "cibuildwheel", "earthly", "k3d", "kind", "minikube",
    )
)  # fmt: skip
"""Programs that want a daemon for nearly all that they do."""

ACTIONS: Final = frozenset(
    (
        "docker/bake-action", "docker/build-push-action", "docker/login-action",
        "docker/setup-buildx-action", "docker/setup-compose-action", "docker/setup-qemu-action",
        "docker/scout-action",
        "absa-group/k3d-action", "absaoss/k3d-action", "adambirds/docker-compose-action",
        "aws-actions/amazon-ecr-login", "azure/docker-login", "devcontainers/ci",
        "elgohr/publish-docker-github-action", "engineerd/setup-kind", "helm/kind-action",
        "hoverkraft-tech/compose-action", "isbang/compose-action", "medyagh/setup-minikube",
        "mr-smithers-excellent/docker-build-push", "pypa/cibuildwheel",
        "whoan/docker-build-with-cache-action",
    )
)  # fmt: skip
"""Published actions that want a daemon, without what is in it being looked at; in lower case."""

_START: Final = r"(?:^|[;&|({`])"
_KEYWORD: Final = r"(?:then|do|else|elif|if|while|until|time|eval|exec|!|[{(])\s+"
_ASSIGNMENT: Final = r"""[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s;|&"'`()]*)\s+"""
_OPTION: Final = r"(?:-[^\s;|&]*\s+|\d+[smh]?\s+)"
_CARRIER: Final = rf"(?:sudo|env|nohup|nice|xargs|timeout|stdbuf|command(?!\s+-[vV]))\s+{_OPTION}*"
_BEFORE: Final = rf"(?:{_KEYWORD}|{_CARRIER}|{_ASSIGNMENT})*"
"""What may stand between the start of a command and its program, see bash(1)."""
_PROGRAM: Final = r"""(?:[\w./~-]*/)?(?P<program>[\w-]+)(?=$|[\s;&|)}`<>"'])"""
_COMMAND: Final = re.compile(rf"{_START}\s*{_BEFORE}{_PROGRAM}")
_COMMENT: Final = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
_QUICK: Final = re.compile("|".join(sorted(PROGRAMS)))
_LONGEST: Final = 70


def find_docker_use(
    steps: Iterable[Step], actions: Mapping[str, LoadedAction] | None = None
) -> str | None:
    """Return why steps need a Docker daemon, in words for a log; None where they do not.

    `actions` are those that were loaded, by what `uses` says: composite ones are looked into.
    """
    return next(_find_reasons(steps, actions or {}, set()), None)


def find_call(script: str) -> str | None:
    """Return the line in which a script calls a program that wants a daemon; None for none.

    Only a word that is a command counts: `docker build`, `sudo docker ps`, `A=b docker-compose up`;
    neither `which docker` nor a comment or a path with that name.
    """
    if _QUICK.search(script) is None:
        return None
    for line in _COMMENT.sub("", script).replace("\\\n", " ").splitlines():
        for match in _COMMAND.finditer(line):
            if match["program"] in PROGRAMS:
                return line.strip()
    return None


def is_docker_action(uses: str) -> bool:
    """Tell whether a published action is known to want a daemon, whatever its ref and path."""
    name, _, _ = uses.lower().partition("@")
    return "/".join(name.split("/")[:2]) in ACTIONS


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
