"""The variables of a job's processes: a clean set, never those of whoever started Windlass.

Source: actions/runner src/Runner.Worker/GitHubContext.cs, RunnerContext.cs,
Handlers/ScriptHandler.cs
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.jobs.folders import JobFolders
    from windlass.lang.expressions import Value
    from windlass.plan.references import Reference

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MACHINE_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
)
"""What describes the machine rather than its user: the way to the network, Docker, the time."""

EXPORTED_GITHUB_KEYS = frozenset(
    [
        "action_path",
        "action_ref",
        "action_repository",
        "action",
        "actor",
        "actor_id",
        "api_url",
        "artifacts",
        "artifacts_list",
        "base_ref",
        "env",
        "event_name",
        "event_path",
        "graphql_url",
        "head_ref",
        "job",
        "output",
        "path",
        "ref_name",
        "ref_protected",
        "ref_type",
        "ref",
        "repository",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "retention_days",
        "run_attempt",
        "run_id",
        "run_number",
        "server_url",
        "sha",
        "state",
        "step_summary",
        "triggering_actor",
        "workflow",
        "workflow_ref",
        "workflow_sha",
        "workspace",
    ]
)
"""The keys of the github context that a step sees as GITHUB_*; `token` is not one of them."""

_ARCHITECTURES = {
    "x86_64": "X64",
    "amd64": "X64",
    "i386": "X86",
    "i686": "X86",
    "aarch64": "ARM64",
    "arm64": "ARM64",
}


def base_variables(
    folders: JobFolders, machine: Mapping[str, str], tracking: str
) -> dict[str, str]:
    """Return what every process of a job starts from.

    `machine` are the variables of Windlass itself: PATH and what describes the machine are taken
    from there, all else is made. `tracking` marks the job's processes.
    """
    user = machine.get("USER") or machine.get("LOGNAME") or "runner"
    return {
        "PATH": machine.get("PATH") or DEFAULT_PATH,
        **{name: machine[name] for name in MACHINE_VARIABLES if name in machine},
        "HOME": str(folders.home),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        # As in the images of GitHub's hosted runners: tools look for it besides RUNNER_TOOL_CACHE.
        "AGENT_TOOLSDIRECTORY": str(folders.tools),
        # Nothing is checked out at first: git is not to find the repository around the workspace.
        "GIT_CEILING_DIRECTORIES": str(folders.root),
        "RUNNER_TRACKING_ID": tracking,
    }


def container_variables(
    folders: JobFolders, machine: Mapping[str, str], own: Mapping[str, str], tracking: str
) -> dict[str, str]:
    """Return what every process of a job in a container starts from.

    `own` are the variables of the image and of the container; of `machine` only the way to the
    network is handed on, as the runner does it.
    """
    proxies = {
        name: machine[name]
        for name in MACHINE_VARIABLES
        if name.lower().endswith("_proxy") and name in machine
    }
    return {
        **proxies,
        **own,
        "HOME": str(folders.home),
        "AGENT_TOOLSDIRECTORY": str(folders.tools),
        "GIT_CEILING_DIRECTORIES": str(folders.root),
        "RUNNER_TRACKING_ID": tracking,
    }


def step_variables(
    base: Mapping[str, str],
    step: Mapping[str, str],
    paths: Sequence[str],
    contexts: Mapping[str, Value],
) -> dict[str, str]:
    """Return the variables of one process.

    From weakest to strongest: the job's base, the step's `env` context, what GITHUB_PATH put in
    front of PATH, then GITHUB_* and RUNNER_*, which a workflow cannot override.
    """
    variables = {**base, **step}
    if paths:
        variables["PATH"] = ":".join([*paths, variables.get("PATH", "")])
    for context, allowed in (("github", EXPORTED_GITHUB_KEYS), ("runner", None)):
        variables.update(_export(context, contexts.get(context), allowed))
    variables["GITHUB_ACTIONS"] = "true"
    variables.setdefault("CI", "true")
    return variables


def runner_context(folders: JobFolders, *, name: str, debug: bool) -> dict[str, Value]:
    """Return the `runner` context of this machine, whose runner has a name."""
    machine = os.uname().machine
    context: dict[str, Value] = {
        "name": name,
        "os": "Linux",
        "arch": _ARCHITECTURES.get(machine, "ARM" if machine.startswith("arm") else machine),
        "environment": "self-hosted",
        "temp": str(folders.temp),
        "tool_cache": str(folders.tools),
        "workspace": str(folders.pipeline),
    }
    if debug:
        context["debug"] = "1"
    return context


def job_context(
    github: Mapping[str, Value], workflow_path: str, find_commit: Callable[[Reference], str]
) -> dict[str, Value]:
    """Return the `job` context without its status: which workflow file the job comes from.

    `github` is that context of the run; `find_commit` returns the commit of a called workflow of
    another repository. Source: src/Runner.Worker/JobContext.cs
    """
    called = read_called(workflow_path)
    if called is not None:
        return {
            "workflow_ref": workflow_path,
            "workflow_sha": find_commit(called),
            "workflow_repository": called.name,
            "workflow_file_path": called.path,
        }
    known = {
        "workflow_ref": github.get("workflow_ref"),
        "workflow_sha": github.get("workflow_sha"),
        "workflow_repository": github.get("repository"),
        "workflow_file_path": workflow_path,
    }
    return {key: value for key, value in known.items() if value is not None}


def read_called(workflow_path: str) -> Reference | None:
    """Return what a workflow of another repository is called by; None for one of this.

    `workflow_path` is the path of its file, a whole reference where it is of another repository.
    """
    if "@" not in workflow_path:
        return None
    # Imported only where there may be one.
    from windlass.plan.references import read_reference

    return read_reference(workflow_path)


def _export(context: str, values: Value, allowed: frozenset[str] | None) -> dict[str, str]:
    """Return a context's texts and booleans as variables."""
    if not isinstance(values, Mapping):
        return {}
    exported: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, str) and (name := _name_variable(context, key, allowed)):
            exported[name] = value
    return exported


@functools.cache
def _name_variable(context: str, key: str, allowed: frozenset[str] | None) -> str | None:
    """Return the variable that holds a key of a context; None for a key that stays unseen."""
    if allowed is not None and key.lower() not in allowed:
        return None
    return f"{context}_{key}".upper()
