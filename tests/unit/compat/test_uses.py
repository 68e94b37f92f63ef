"""Every place of a workflow that uses what Windlass refuses or does differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.lang.compat import describe, find_unsupported, refused_features, survey
from windlass.lang.diagnostics import Severity
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from windlass.lang.workflow.model import Workflow

WORKFLOW = """\
on:
  push:
  schedule:
    - cron: '0 4 * * *'
permissions: read-all
concurrency: all
env: {A: '${{ github.token }}'}
jobs:
  steps:
    runs-on: linux
    env: {A: '${{ Secrets.GitHub_Token }}', B: '${{ secrets.GITHUB_TOKEN_OLD }}'}
    outputs: {a: '${{ github . token }}'}
    container: {image: x, env: {A: '${{ github.token }}'}}
    services:
      one: {image: x, ports: ['${{ github.token }}']}
      two: {image: x}
    environment: production
    concurrency: {group: '${{ github.ref }}'}
    permissions: {id-token: write}
    snapshot: image
    steps:
      - uses: actions/checkout@v4
        with: {repository: o/r, sparse-checkout: '', token: '${{ github.token }}'}
      - uses: Actions/Checkout@v3
        with: {sparse-checkout: src, repository: '${{ github.repository }}'}
      - uses: actions/checkouts@v1
        with: {repository: o/r}
      - uses: ./local
      - uses: $/self
      - uses: docker://alpine
      - run: echo ::add-matcher::a
        shell: PowerShell
        background: true
        env: {A: '${{ github.token }}'}
      - run: echo '##[Add-Matcher]${{ github.token }}'
        shell: bash
      - run: echo
        shell: cmd
      - parallel:
          - run: a
            shell: pwsh
          - uses: o/r@v1
      - {run: a, id: two, background: true}
      - wait: two
      - wait-all:
      - cancel: two
  labels:
    runs-on: ['${{ matrix.os }}', x]
    strategy: {matrix: {os: [macos-15, ubuntu-latest, Windows]}}
  computed:
    runs-on: '${{ vars.label }}'
    services: '${{ fromJSON(vars.services) }}'
    permissions: {id-token: none}
  inserted:
    runs-on: x
    container: {'${{ insert }}': '${{ github }}', image: x}
  local:
    uses: ./.github/workflows/called.yml
    with: {a: '${{ github.token }}'}
  remote:
    uses: o/r/.github/workflows/called.yml@v1
    secrets: {a: '${{ secrets.GITHUB_TOKEN }}'}
"""
USES = {
    "snapshot": ["20:15 `snapshot` of job `steps`"],
    "foreign-runner": ["49:30 `macos-15`", "49:55 `Windows`"],
    "job-container": ["13:16 `container` of job `steps`", "56:16 `container` of job `inserted`"],
    "service-container": [
        "15:7 service `one` of job `steps`",
        "16:7 service `two` of job `steps`",
        "52:15 `services` of job `computed`",
    ],
    "runner-label": ["10:14 `linux`", "51:14 `runs-on`", "55:14 `x`"],
    "checkout": ["22:15 `actions/checkout@v4`", "24:15 `Actions/Checkout@v3`"],
    "other-repository": [
        "23:28 `repository` of `actions/checkout@v4`",
        "25:50 `repository` of `Actions/Checkout@v3`",
    ],
    "remote-action": ["26:15 `actions/checkouts@v1`", "42:19 `o/r@v1`"],
    "remote-workflow": ["61:11 `o/r/.github/workflows/called.yml@v1`"],
    "container-action": ["30:15 `docker://alpine`"],
    "foreign-shell": ["32:16 `PowerShell`", "38:16 `cmd`", "41:20 `pwsh`"],
    "environment": ["17:18 `environment` of job `steps`"],
    "concurrency": ["6:14 `concurrency` of the workflow", "18:18 `concurrency` of job `steps`"],
    "schedule": ["4:7 `cron: 0 4 * * *`"],
    "permissions": [
        "5:14 `permissions` of the workflow",
        "19:18 `permissions` of job `steps`",
        "53:18 `permissions` of job `computed`",
    ],
    "identity-token": ["19:18 `id-token: write` of job `steps`"],
    "job-token": [
        "7:10 `github.token`",
        "11:14 `Secrets.GitHub_Token`",
        "12:18 `github . token`",
        "13:36 `github.token`",
        "15:31 `github.token`",
        "23:61 `github.token`",
        "34:18 `github.token`",
        "35:14 `github.token`",
        "59:15 `github.token`",
        "62:18 `secrets.GITHUB_TOKEN`",
    ],
}


def read(text: str = WORKFLOW) -> Workflow:
    reading = read_workflow("ci.yml", text.encode())
    assert reading.workflow is not None, reading.diagnostics
    return reading.workflow


@pytest.mark.parametrize("feature", USES)
def test_every_use_is_named_at_its_place(feature: str) -> None:
    """A use is named as it is written, where it is written."""
    found = [one.use for one in survey(read()) if one.feature.id == feature]
    assert [f"{use.span.start} {use.subject}" for use in found] == USES[feature]


def test_uses_are_grouped_by_feature() -> None:
    """The order is that of the table, and within a feature that of the file."""
    assert list(dict.fromkeys(one.feature.id for one in survey(read()))) == list(USES)


def test_refusals_are_in_the_order_of_the_file() -> None:
    """All features together, from the first line to the last."""
    starts = [one.span.start for one in find_unsupported(read()) if one.span is not None]
    assert starts == sorted(starts)
    assert len(starts) == sum(len(USES[feature.id]) for feature in refused_features())


def test_what_is_said_of_a_use() -> None:
    """A refusal says what to do, a difference what GitHub does."""
    told = {
        found.feature.id: (one.code, one.severity, one.message, one.hint)
        for found in survey(read())
        for one in [describe(found)]
    }
    assert told["snapshot"] == (
        "unsupported-snapshot",
        Severity.ERROR,
        (
            "`snapshot` of job `steps` is not supported yet: There is no disk image of this "
            "machine to save."
        ),
        "run the jobs that do not need it with `-j JOB`; `windlass compat` lists all uses",
    )
    assert told["foreign-runner"][3] == (
        "run the other legs with `--matrix KEY=VALUE`, or another job with `-j JOB`"
    )
    assert told["schedule"] == (
        "differs-schedule",
        Severity.NOTICE,
        (
            "`cron: 0 4 * * *`: A server does; else nothing starts by itself, and `windlass run "
            "schedule` runs it once."
        ),
        "GitHub: Starts a run at these times.",
    )


def test_a_finding_is_where_the_use_is() -> None:
    """Refused or not, a finding keeps the place of the use."""
    assert all(describe(found).span == found.use.span for found in survey(read()))


def test_limited_jobs_are_those_named() -> None:
    """What the workflow has as a whole is no reason against one job."""
    found = find_unsupported(read(), jobs={"remote", "labels"})
    assert [one.code for one in found] == ["unsupported-foreign-runner"] * 2
