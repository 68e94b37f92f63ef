"""What in a workflow's text calls Docker: programs in scripts, and published actions by name."""

from __future__ import annotations

import re
from typing import Final

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
_COMMAND: Final = rf"{_START}\s*{_BEFORE}{_PROGRAM}"
_COMMENT: Final = r"(?m)(?:^|(?<=\s))#.*$"


def find_call(script: str) -> str | None:
    """Return the line in which a script calls a program that wants a daemon; None for none.

    Only a word that is a command counts: `docker build`, `sudo docker ps`, `A=b docker-compose up`;
    neither `which docker` nor a comment or a path with that name.
    """
    if not any(program in script for program in PROGRAMS):
        return None
    for line in re.sub(_COMMENT, "", script).replace("\\\n", " ").splitlines():
        for match in re.finditer(_COMMAND, line):
            if match["program"] in PROGRAMS:
                return line.strip()
    return None


def is_docker_action(uses: str) -> bool:
    """Tell whether a published action is known to want a daemon, whatever its ref and path."""
    name, _, _ = uses.lower().partition("@")
    return "/".join(name.split("/")[:2]) in ACTIONS
