"""Read a workflow file: bytes in; a typed workflow, tokens and diagnostics out.

reading = read_workflow(".github/workflows/ci.yml", text, resolve=files.get)
if reading.workflow is None: …          # reading.diagnostics says why
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.lang.problems import Problems
from windlass.lang.reader import read_file
from windlass.lang.schema.definitions import NOTHING
from windlass.lang.schema.workflow import ROOT, workflow_schema
from windlass.lang.workflow.calls import Calls
from windlass.lang.workflow.expectations import expect_string, guarded, text_of
from windlass.lang.workflow.jobs import check_concurrency, convert_defaults, convert_jobs
from windlass.lang.workflow.model import Workflow
from windlass.lang.workflow.permissions import convert_permissions
from windlass.lang.workflow.result import Reading
from windlass.lang.workflow.triggers import convert_triggers
from windlass.model.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.tokens import MappingToken, Token
    from windlass.lang.workflow.calls import Unread


def read_workflow(
    path: str, text: bytes, *, resolve: Callable[[str], bytes | Unread | None] | None = None
) -> Reading:
    """Read one workflow file and the reusable workflows it calls.

    `path` is the file's path in its repository; positions name it. `resolve` returns the content of
    a called workflow: it is given the path in the repository for `./path` and `$/path`, and the
    whole reference for `owner/repository/path@ref`. Where it returns None, a local workflow is an
    error, and a remote one is left unread; `Unread` says why one that should be there is not. What
    a remote workflow calls as `./path` is asked for by a whole reference, too. Without `resolve` no
    called workflow is read.
    """
    problems = Problems()
    reading = read_one(problems, path, text)
    if resolve is None or reading.workflow is None:
        return _finished(reading, problems)
    calls = Calls(problems, resolve, read_one)
    called, workflow = calls.follow(reading.workflow)
    return _finished(replace(reading, workflow=workflow, called=called), problems)


def _finished(reading: Reading, problems: Problems) -> Reading:
    return replace(
        reading,
        workflow=None if problems.has_error else reading.workflow,
        diagnostics=tuple(problems.found),
    )


def read_one(problems: Problems, path: str, text: bytes) -> Reading:
    """Read one file without the workflows it calls; what is wrong goes to `problems`.

    The workflow may be there although there are problems: those that leave it understandable.
    """
    tokens = read_file(problems, path, text, workflow_schema().place(ROOT, NOTHING))
    workflow = None
    if tokens is not None and not problems.has_error:
        workflow = convert_workflow(problems, path, tokens)
    return Reading(workflow=workflow, tokens=tokens)


def convert_workflow(problems: Problems, path: str, root: MappingToken) -> Workflow:
    """Return the typed workflow; parts are taken in the order of the file, as are their errors."""
    parts: dict[str, Any] = {}
    for key, value in root.entries:
        _take(problems, expect_string(key).value, value, parts)
    return Workflow(path=path, span=root.span, **parts)


def _take(problems: Problems, key: str, value: Token, parts: dict[str, Any]) -> None:
    match key:
        case "on":
            parts["triggers"] = convert_triggers(problems, value)
        case "jobs":
            parts["jobs"] = convert_jobs(problems, value)
        case "concurrency":
            guarded(problems, lambda: check_concurrency(problems, value))
            parts["concurrency"] = value
        case "env":
            parts["env"] = value
        case "name" | "description":
            parts[key] = text_of(value)
        case "run-name":
            parts["run_name"] = value
        case "defaults":
            parts["defaults"] = convert_defaults(value)
        case "permissions":
            parts["permissions"] = convert_permissions(value)
