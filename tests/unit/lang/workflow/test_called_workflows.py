"""Workflows that call workflows: found, read, and compared with what is passed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.calls import MAX_DEPTH, MAX_JOBS, Unread
from windlass.lang.workflow.model import CallJob
from windlass.lang.workflow.permissions import COMPARED_SCOPES, violations
from windlass.plan.calls import find_called

if TYPE_CHECKING:
    from windlass.lang.workflow.result import Reading

CALLED = """\
on:
  workflow_call:
    inputs:
      level: {type: number, required: true}
      debug: {type: boolean}
      text: {type: string}
    secrets:
      token: {required: true}
jobs:
  deploy:
    runs-on: x
"""
LEAF = "on: workflow_call\njobs: {leaf: {runs-on: x}}\n"


def read(text: str, **files: str) -> Reading:
    content = {f".github/workflows/{name}.yml": one.encode() for name, one in files.items()}
    return read_workflow(".github/workflows/w.yml", text.encode(), resolve=content.get)


def caller(rest: str = "", uses: str = "./.github/workflows/called.yml") -> str:
    return f"on: push\njobs:\n  a:\n    uses: {uses}\n{rest}"


def errors(reading: Reading) -> list[str]:
    return [f"{one.span.start} {one.message}" for one in reading.diagnostics if one.span]


RIGHT = (
    "    with: {LEVEL: 5, debug: '${{ github.ref == 1 }}', text: true}\n    secrets: {Token: x}\n"
)


@pytest.mark.parametrize(
    "uses", ["./.github/workflows/called.yml", "$/.github/workflows/called.yml"]
)
def test_local_workflow_is_read(uses: str) -> None:
    """`./` and `$/` name a file of the repository."""
    reading = read(caller(RIGHT, uses), called=CALLED)
    assert errors(reading) == []
    assert reading.workflow is not None
    (job,) = reading.workflow.jobs
    assert isinstance(job, CallJob)
    assert job.called is not None
    assert job.called.path == ".github/workflows/called.yml"
    assert reading.called["a"].workflow == job.called


def test_remote_workflow_is_left_unread() -> None:
    """A workflow of another repository is no error where nobody can fetch it."""
    for uses in ("owner/repository/.github/workflows/x.yml@v1", "owner/repository@v1"):
        reading = read(caller(uses=uses))
        assert errors(reading) == []
        assert reading.called == {}
        assert reading.workflow is not None


def test_without_resolve_nothing_is_followed() -> None:
    """A reading of one file alone does not ask for others."""
    assert read_workflow("w.yml", caller().encode()).diagnostics == ()


@pytest.mark.parametrize(
    ("rest", "called", "expected"),
    [
        pytest.param(
            "",
            CALLED,
            [
                "4:11 Input level is required, but not provided while calling.",
                "4:11 Secret token is required, but not provided while calling.",
            ],
            id="missing",
        ),
        pytest.param(
            "    with: {level: 5, gone: 1}\n    secrets: {token: x, other: y}\n",
            CALLED,
            [
                "5:28 Invalid input, gone is not defined in the referenced workflow.",
                "6:32 Invalid secret, other is not defined in the referenced workflow.",
            ],
            id="unknown",
        ),
        pytest.param(
            "    with: {level: high, debug: 'yes'}\n    secrets: inherit\n",
            CALLED,
            ["5:19 Unexpected value 'high'", "5:32 Unexpected value 'yes'"],
            id="types",
        ),
        pytest.param(
            "",
            "on: push\njobs: {x: {runs-on: x}}\n",
            ["4:11 workflow_call key is not defined in the referenced workflow."],
            id="not callable",
        ),
        pytest.param("", "on: [push, workflow_call]\njobs: {x: {runs-on: x}}\n", [], id="list"),
        pytest.param("", "on: {workflow_call: }\njobs: {x: {runs-on: x}}\n", [], id="null"),
    ],
)
def test_call_is_compared_with_the_called_workflow(
    rest: str, called: str, expected: list[str]
) -> None:
    """Inputs and secrets are passed as the called workflow asks for them."""
    assert errors(read(caller(rest), called=called)) == expected


@pytest.mark.parametrize(
    "uses",
    [
        *("./.github/workflows/gone.yml", "./a/gone@v1", "$/a/gone@v1"),
        *("nonsense", "owner/name", "owner/name@", "owner@a/b@c"),
    ],
)
def test_workflow_that_cannot_be_found(uses: str) -> None:
    """A local file that is missing, or a text that names nothing."""
    assert errors(read(caller(uses=uses))) == ["4:11 Unable to find reusable workflow"]


def test_error_in_a_called_workflow_names_its_file() -> None:
    """Positions say which file they are in."""
    reading = read(caller(), called="on: workflow_call\njobs: {x: {runs-on: }}\n")
    assert [str(one.span) for one in reading.diagnostics] == [".github/workflows/called.yml:2:21"]
    assert reading.workflow is None


def test_depth_of_calls_is_limited() -> None:
    """A chain of calls is followed to the limit and no further."""

    def chain(length: int) -> Reading:
        call = "on: workflow_call\njobs: {{x: {{uses: ./.github/workflows/n{}.yml}}}}\n"
        files = {f"n{n}": call.format(n + 1) for n in range(1, length)}
        return read(caller(uses="./.github/workflows/n1.yml"), **files, **{f"n{length}": LEAF})

    assert errors(chain(MAX_DEPTH)) == []
    assert [one.split(" ", 1)[1] for one in errors(chain(MAX_DEPTH + 1))] == [
        f"Nested reusable workflow depth exceeded {MAX_DEPTH}."
    ]


def test_workflow_that_calls_itself() -> None:
    """Loops are not permitted, however long."""
    path = ".github/workflows/called.yml"
    text = f"on: workflow_call\njobs: {{x: {{uses: ./{path}}}}}\n"
    (message,) = errors(read(caller(), called=text))
    chain = f".github/workflows/w.yml calls {path} calls {path}"
    assert message == f"2:18 The workflow './{path}' calls itself: {chain}"


def test_number_of_jobs_is_limited() -> None:
    """Calls that multiply are not followed without end."""
    files = {}
    for level in range(1, 5):
        call = f"{{uses: ./.github/workflows/n{level + 1}.yml}}"
        jobs = "".join(f"  j{number}: {call}\n" for number in range(11))
        files[f"n{level}"] = f"on: workflow_call\njobs:\n{jobs}"
    reading = read(caller(uses="./.github/workflows/n1.yml"), **files, n5=LEAF)
    (problem,) = reading.diagnostics
    assert problem.message == (
        f"Workflows may not contain more than {MAX_JOBS} jobs across all referenced files"
    )


@pytest.mark.requirement("A26")
@pytest.mark.parametrize(
    ("granted", "called", "message"),
    [
        ("actions: read", "actions: read", None),
        ("actions: write", "actions: read", None),
        (
            "actions: read",
            "actions: write",
            "is requesting 'actions: write', but is only allowed 'actions: read'.",
        ),
        (
            "contents: read",
            "{issues: write, contents: read}",
            "is requesting 'issues: write', but is only allowed 'issues: none'.",
        ),
        (
            "contents: read",
            "{issues: write, actions: read}",
            (
                "is requesting 'actions: read, issues: write', but is only allowed "
                "'actions: none, issues: none'."
            ),
        ),
    ],
)
def test_called_workflow_may_not_widen_permissions(
    granted: str, called: str, message: str | None
) -> None:
    """Neither a called workflow nor its jobs ask for more than the caller has."""
    grants = granted if granted.startswith("{") else f"{{{granted}}}"
    asks = called if called.startswith("{") else f"{{{called}}}"
    path = "./.github/workflows/called.yml"
    start = f"3:3 Error calling workflow '{path}'."
    of_workflow = read(
        caller(f"    permissions: {grants}\n"),
        called=f"on: workflow_call\npermissions: {asks}\njobs: {{x: {{runs-on: x}}}}\n",
    )
    of_job = read(
        caller(f"    permissions: {grants}\n"),
        called=f"on: workflow_call\njobs: {{x: {{runs-on: x, permissions: {asks}}}}}\n",
    )
    of_named_job = read(
        caller(f"    permissions: {grants}\n"),
        called=f"on: workflow_call\njobs: {{x: {{runs-on: x, permissions: {asks}, name: n}}}}\n",
    )
    if message is None:
        assert errors(of_workflow) == errors(of_job) == []
    else:
        assert errors(of_workflow) == [f"{start} The workflow {message}"]
        assert errors(of_job) == [f"{start} The nested job 'x' {message}"]
        assert errors(of_named_job) == [f"{start} The nested job 'n' {message}"]


def test_permissions_of_the_workflow_count_for_its_calls() -> None:
    """A calling job without permissions passes on those of its workflow."""
    text = "permissions: {contents: read}\n" + caller()
    called = "on: workflow_call\njobs: {x: {runs-on: x, permissions: write-all}}\n"
    (message,) = errors(read(text, called=called))
    assert message.startswith("4:3 Error calling workflow")
    assert "'actions: write, " in message


def test_read_all_is_no_more_than_read_all() -> None:
    """The shorthands compare scope by scope."""
    text = "permissions: read-all\n" + caller()
    called = "on: workflow_call\njobs: {x: {runs-on: x, permissions: read-all}}\n"
    reading = read(text, called=called)
    assert errors(reading) == []
    assert reading.workflow is not None
    granted = reading.workflow.permissions
    assert granted is not None
    assert violations(granted, granted) is None
    assert len(COMPARED_SCOPES) == 17


PATH = "./.github/workflows/called.yml"
ANY = "on: workflow_call\njobs: {x: {runs-on: x}}\n"


@pytest.mark.parametrize(
    ("rest", "called", "expected"),
    [
        pytest.param("", CALLED, ["call-input-missing", "call-secret-missing"], id="missing"),
        pytest.param("    with: {a: 1}\n", ANY, ["call-input-unknown"], id="input"),
        pytest.param("    secrets: {a: x}\n", ANY, ["call-secret-unknown"], id="secret"),
        pytest.param("", ANY.replace("workflow_call", "push"), ["call-trigger"], id="trigger"),
        pytest.param(
            "", f"on: workflow_call\njobs: {{x: {{uses: {PATH}}}}}\n", ["call-cycle"], id="cycle"
        ),
        pytest.param(
            "", "on: workflow_call\njobs: {x: {uses: y}}\n", ["call-not-found"], id="gone"
        ),
        pytest.param(
            "    permissions: {}\n",
            "on: workflow_call\npermissions: write-all\njobs: {x: {runs-on: x}}\n",
            ["call-permissions"],
            id="permissions",
        ),
    ],
)
def test_each_mistake_of_a_call_has_its_code(rest: str, called: str, expected: list[str]) -> None:
    """The codes are what a suppression names."""
    assert [one.code for one in read(caller(rest), called=called).diagnostics] == expected


def test_hints_for_calls() -> None:
    """What to do is told where the message does not say it."""
    (missing,) = read(caller(uses="nonsense")).diagnostics
    assert missing.hint == "Write './.github/workflows/file.yml' or 'owner/repository/path@ref'."

    call = f"on: workflow_call\njobs: {{x: {{uses: {PATH}}}}}\n"
    (cycle,) = read(caller(), called=call).diagnostics
    assert cycle.hint == "Loops are not permitted."

    (kind,) = read(
        caller("    with: {level: high}\n    secrets: inherit\n"), called=CALLED
    ).diagnostics
    assert (kind.code, kind.hint) == ("call-input-type", "The input's type is 'number'.")


@pytest.mark.parametrize(("count", "is_refused"), [(MAX_JOBS - 1, False), (MAX_JOBS, True)])
def test_the_calling_job_counts_as_well(count: int, is_refused: bool) -> None:
    """A thousand jobs in all is right, one more is not."""
    jobs = "".join(f"  j{number}: {{runs-on: x}}\n" for number in range(count))
    reading = read(caller(), called=f"on: workflow_call\njobs:\n{jobs}")
    assert [one.code for one in reading.diagnostics] == ["call-jobs"] * is_refused


def test_jobs_beside_a_call_are_kept() -> None:
    """Following a call changes no other job, and what was called is read with its own parts."""
    text = "on: push\njobs:\n  b: {runs-on: x}\n  a: {uses: " + PATH + "}\n  c: {runs-on: y}\n"
    reading = read(text, called=ANY)
    assert reading.workflow is not None
    assert [job.id for job in reading.workflow.jobs] == ["b", "a", "c"]
    assert all(
        str(job.span).startswith(".github/workflows/w.yml:") for job in reading.workflow.jobs
    )
    assert str(reading.workflow.span) == ".github/workflows/w.yml:1:1"


def test_a_reference_to_nothing_is_not_looked_for() -> None:
    """Only what can be a path or a reference is asked for."""
    asked: list[str] = []
    text = "on: push\njobs:\n  a: {uses: nonsense}\n  b: {uses: o/r/w.yml@v1}\n"
    read_workflow("w.yml", text.encode(), resolve=asked.append)
    assert asked == ["o/r/w.yml@v1"]


def test_what_a_remote_workflow_calls_lies_beside_it() -> None:
    """`./path` and `$/path` there are of its repository at its ref, a whole reference is itself."""
    jobs = "{b: {uses: ./.github/workflows/b.yml}, c: {uses: $/c.yml}, d: {uses: p/q/d.yml@v2}}"
    files = {
        "o/r/a.yml@v1": f"on: workflow_call\njobs: {jobs}\n",
        "o/r/.github/workflows/b.yml@v1": LEAF,
        "o/r/c.yml@v1": LEAF,
        "p/q/d.yml@v2": "on: workflow_call\njobs: {x: {uses: ./e.yml}}\n",
        "p/q/e.yml@v2": LEAF,
    }
    content = {path: text.encode() for path, text in files.items()}

    reading = read_workflow("w.yml", caller(uses="o/r/a.yml@v1").encode(), resolve=content.get)

    assert reading.workflow is not None, reading.diagnostics
    assert [*find_called(reading.workflow)] == [*files]


def test_a_local_file_with_an_at_sign_is_no_remote_one() -> None:
    """What it calls is looked for in the repository."""
    asked: list[str] = []
    text = "on: push\njobs: {a: {uses: ./b.yml}}\n"

    read_workflow(".github/workflows/a@b.yml", text.encode(), resolve=asked.append)

    assert asked == ["b.yml"]


def test_why_a_workflow_cannot_be_read_is_told_at_its_place() -> None:
    """The words are those of whoever looked for it."""
    reading = read_workflow(
        "w.yml",
        caller(uses="o/r/a.yml@v1").encode(),
        resolve=lambda _: Unread("failed to fetch workflow", "look elsewhere"),
    )

    [found] = reading.diagnostics
    assert reading.workflow is None
    assert (found.code, str(found.span).split("-")[0]) == ("call-unread", "w.yml:4:11")
    assert found.message == (
        'error parsing called workflow "w.yml" -> "o/r/a.yml@v1": failed to fetch workflow'
    )
    assert found.hint == "look elsewhere"


def test_calls_of_a_called_workflow() -> None:
    """The readings of a chain hang below each other, each with what its own jobs call."""
    text = "on: workflow_call\njobs: {x: {uses: ./.github/workflows/leaf.yml}}\n"
    reading = read(caller(), called=text, leaf=LEAF)
    called = reading.called["a"]
    leaf = called.called["x"]
    assert leaf.tokens is not None
    assert leaf.workflow is not None
    assert [job.id for job in leaf.workflow.jobs] == ["leaf"]
    assert called.workflow is not None
    (job,) = called.workflow.jobs
    assert isinstance(job, CallJob)
    assert job.called == leaf.workflow


def test_permissions_go_down_a_chain_of_calls() -> None:
    """A called workflow without permissions has those of its caller, and so have its calls."""
    text = caller("    permissions: {contents: read}\n")
    inherits = "on: workflow_call\njobs: {x: {uses: ./.github/workflows/leaf.yml}}\n"
    asks = "permissions: {contents: read}\n" + LEAF
    reading = read(text, called=inherits, leaf=asks)
    assert errors(reading) == []
    assert reading.called["a"].workflow is not None
    granted = reading.called["a"].workflow.permissions
    assert granted is not None
    assert granted.scopes == {"contents": "read"}

    (message,) = errors(read(text, called=inherits, leaf=asks.replace("contents", "issues")))
    assert "'issues: read', but is only allowed 'issues: none'" in message

    narrower = read(text, called="permissions: {}\n" + inherits, leaf=asks)
    assert "'contents: read', but is only allowed 'contents: none'" in errors(narrower)[0]


@pytest.mark.parametrize(("count", "codes"), [(MAX_JOBS - 1, ["call-jobs"]), (MAX_JOBS, [])])
def test_the_last_call_that_is_followed(count: int, codes: list[str]) -> None:
    """The thousandth job may be a call, which has no room for jobs; later ones are left alone."""
    jobs = "".join(f"  j{number}: {{runs-on: x}}\n" for number in range(count))
    text = f"on: push\njobs:\n{jobs}  a: {{uses: {PATH}}}\n"
    found = read(text, called=ANY).diagnostics
    assert [(one.code, str(one.span)) for one in found] == [
        (code, f".github/workflows/w.yml:{count + 3}:13") for code in codes
    ]


def test_a_chain_that_is_too_deep_has_a_code() -> None:
    """The code is what a suppression names."""
    call = "on: workflow_call\njobs: {{x: {{uses: ./.github/workflows/n{}.yml}}}}\n"
    files = {f"n{n}": call.format(n + 1) for n in range(1, MAX_DEPTH + 1)}
    reading = read(caller(uses="./.github/workflows/n1.yml"), **files)
    assert [one.code for one in reading.diagnostics] == ["call-depth"]
