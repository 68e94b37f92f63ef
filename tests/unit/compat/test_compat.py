"""What is not done as on GitHub is found, named and placed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.lang.compat import Verdict, all_features, describe, find_unsupported, survey
from windlass.lang.compat.page import write_page
from windlass.lang.compat.published import TRIED, find_tried
from windlass.lang.diagnostics import Severity
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.workflow.model import Workflow

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "compat.md"
HEAD = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n"


def read(text: str) -> Workflow:
    reading = read_workflow("ci.yml", text.encode())
    assert reading.workflow is not None, reading.diagnostics
    return reading.workflow


def job(steps: str = "      - run: make\n", keys: str = "") -> str:
    return f"{HEAD}{keys}    steps:\n{steps}"


CHECKOUT = "      - uses: actions/checkout@v4\n        with:\n          {}\n"
REFUSED = {
    "snapshot": (job(keys="    snapshot: my-image\n"), 5),
    "foreign-runner": (job().replace("ubuntu-latest", "windows-latest"), 4),
}
DIFFERING = {
    "runner-label": job(),
    "checkout": job("      - uses: actions/checkout@v4\n"),
    "other-repository": job(CHECKOUT.format("repository: owner/other")),
    "job-container": job(keys="    container: alpine:3.20\n"),
    "service-container": job(keys="    services:\n      db:\n        image: postgres\n"),
    "remote-action": job("      - uses: actions/setup-node@v4\n"),
    "remote-workflow": "on: push\njobs:\n  build:\n    uses: o/r/.github/workflows/x.yml@v1\n",
    "container-action": job("      - uses: docker://alpine:3.20\n"),
    "docker-in-job": job("      - run: docker build .\n"),
    "foreign-shell": job("      - run: dir\n        shell: pwsh\n"),
    "environment": job(keys="    environment: production\n"),
    "concurrency": job(keys="    concurrency: deploy\n"),
    "workflow-run": job().replace("on: push", "on:\n  workflow_run:\n    workflows: [CI]"),
    "schedule": job().replace("on: push", "on:\n  schedule:\n    - cron: '0 4 * * *'"),
    "permissions": job(keys="    permissions: read-all\n"),
    "identity-token": job(keys="    permissions:\n      id-token: write\n"),
    "job-token": job("      - run: gh pr list\n        env:\n          T: ${{ github.token }}\n"),
}


@pytest.mark.requirement("A01")
@pytest.mark.parametrize(("feature", "text", "line"), [(k, *v) for k, v in REFUSED.items()])
def test_refused_feature_is_named_with_its_line(feature: str, text: str, line: int) -> None:
    """What is refused is an error with the feature's name and the place of its use."""
    (found,) = find_unsupported(read(text))

    assert found.code == f"unsupported-{feature}"
    assert found.severity is Severity.ERROR
    assert found.span is not None
    assert found.span.start.line == line
    assert "not supported yet" in found.message
    assert found.hint


@pytest.mark.parametrize(("feature", "text"), DIFFERING.items())
def test_differing_feature_is_surveyed_and_not_refused(feature: str, text: str) -> None:
    """What differs is in the survey as a notice, and does not stop a run."""
    workflow = read(text)

    assert find_unsupported(workflow) == ()
    uses = {found.feature.id: found for found in survey(workflow)}
    assert feature in uses
    assert describe(uses[feature]).severity is Severity.NOTICE


def test_every_feature_with_a_detector_has_a_test() -> None:
    """No row of the table is without a workflow that proves its detector."""
    tested = {*REFUSED, *DIFFERING}
    assert tested == {f.id for f in all_features() if f.verdict is not Verdict.HONOURED}


def test_checkout_and_scripts_are_not_refused() -> None:
    """A job of scripts and actions/checkout of any version can be run."""
    text = job(
        "      - uses: actions/checkout@b4ffde65f46336ab88eb53be808477a3936bae11\n      - run: a\n"
    )
    assert find_unsupported(read(text)) == ()


def test_foreign_labels_of_a_matrix_are_refused_at_their_place() -> None:
    """A label that comes from the matrix is reported where the matrix names it."""
    keys = "    strategy:\n      matrix:\n        os: [ubuntu-latest, macos-latest]\n"
    text = job(keys=keys).replace("runs-on: ubuntu-latest", "runs-on: ${{ matrix.os }}")
    (found,) = find_unsupported(read(text))

    assert found.code == "unsupported-foreign-runner"
    assert found.span is not None
    assert (found.span.start.line, found.span.start.column) == (7, 29)


def test_search_can_be_limited_to_jobs() -> None:
    """A job that is not asked for is not looked at."""
    text = (
        job(keys="    snapshot: my-image\n")
        + "  other:\n    runs-on: x\n    steps:\n      - run: a\n"
    )
    workflow = read(text)

    assert len(find_unsupported(workflow)) == 1
    assert find_unsupported(workflow, jobs={"other"}) == ()


def test_steps_inside_parallel_are_looked_at() -> None:
    """An action inside `parallel` is found like any other."""
    workflow = read(
        job("      - parallel:\n          - uses: actions/cache@v4\n          - run: a\n")
    )
    assert "remote-action" in {found.feature.id for found in survey(workflow)}


@pytest.mark.requirement("R05")
def test_page_is_current(golden: Callable[[Path, str], None]) -> None:
    """The reference page says what the table says."""
    golden(PAGE, write_page())


@pytest.mark.parametrize(
    ("uses", "remark"),
    [
        ("Codecov/codecov-action@v5", "codecov/codecov-action@v4 needs Codecov's uploader"),
        ("Actions/Upload-Artifact@v3", "actions/upload-artifact@v4 works"),
        (
            "actions/setup-node@v4",
            "actions/setup-node@v4 works: a version that is not in the tool cache",
        ),
        ("github/codeql-action/upload-sarif@v3", "github/codeql-action/upload-sarif@v3 needs"),
        ("github/codeql-action/init@v3", ""),
        ("acme/thing@v1", ""),
    ],
)
def test_what_is_known_of_a_published_action_is_told(uses: str, remark: str) -> None:
    """By its name, whatever the ref and the case; nothing of one that was not tried."""
    found = survey(read(job(f"      - uses: {uses}\n")))
    [use] = [it for it in found if it.feature.id == "remote-action"]

    assert use.use.remark.startswith(remark)
    assert bool(remark) == bool(use.use.remark)
    assert use.use.remark in describe(use).message


def test_the_tried_actions_are_found_by_their_names() -> None:
    """No two rows are of one action, and each can be found."""
    assert [find_tried(it.action) for it in TRIED] == list(TRIED)
