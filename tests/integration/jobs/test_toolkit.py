"""GitHub's own toolkit as a client: what `@actions/core` writes must be understood."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests import npm

from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

PACKAGES = ("@actions/core@1.11.1",)

MAIN = """
const core = require('@actions/core');
core.setSecret('made-up-secret');
core.info('say made-up-secret');
core.setOutput('text', 'one\\ntwo');
core.setOutput('json', {a: [1]});
core.exportVariable('EXPORTED', 'x\\ny');
core.addPath('/added/by/core');
core.saveState('pid', 42);
core.group('Title', async () => core.info('inside')).then(async () => {
  core.info(JSON.stringify([
    core.getInput('needed', {required: true}), core.getMultilineInput('list'),
    core.getBooleanInput('flag'), core.getInput('with blank'), core.isDebug(),
  ]));
  core.warning('careful: 100%, really', {title: 'T', file: 'a,b.txt', startLine: 3, endLine: 4});
  core.notice('note');
  core.debug('hidden');
  await core.summary.addHeading('Done').addTable([['a', 'b']]).write();
  core.setFailed('it went wrong');
});
"""
POST = """
const core = require('@actions/core');
core.info(`post ${core.getState('pid')} ${process.env.EXPORTED.length}`);
"""
ACTION = """
inputs:
  needed: {required: true}
  list: {default: ""}
  flag: {default: "false"}
  with blank: {default: d}
outputs: {text: {description: t}, json: {description: j}}
runs: {using: node20, main: main.js, post: post.js, post-if: failure()}
"""


@pytest.fixture(scope="module")
def toolkit() -> Path:
    """The folder of GitHub's packages, installed once."""
    return npm.install("toolkit", *PACKAGES) / "node_modules"


def test_core(bench: Bench, toolkit: Path) -> None:
    """Outputs, variables, PATH, state, secrets, groups, annotations and summaries arrive."""
    folder = bench.root / "tools" / "action"
    folder.mkdir(parents=True)
    for name, text in (("action.yml", ACTION), ("main.js", MAIN), ("post.js", POST)):
        (folder / name).write_text(text)
    shutil.copytree(toolkit, folder / "node_modules")
    finished = bench.run(
        """
- run: cp -r "$RUNNER_TOOL_CACHE/action" act
- uses: ./act
  id: act
  with:
    needed: n
    list: |
      a
      b
    flag: true
- run: echo "$OUTPUTS" "$EXPORTED" "${PATH%%:*}" made-up-secret
  if: always()
  env:
    OUTPUTS: ${{ toJSON(steps.act.outputs) }}
"""
    )

    assert finished.result is Result.FAILURE
    assert bench.output() == (
        "say ***\n"
        "##[group]Title\ninside\n##[endgroup]\n"
        '["n",["a","b"],true,"d",false]\n'
        '{\n  "text": "one\\ntwo",\n  "json": "{\\"a\\":[1]}"\n} x\ny /added/by/core ***\n'
        "post 42 3\n"
    )
    annotations = [
        (it.level, it.message, dict(it.properties))
        for it in bench.seen
        if isinstance(it, events.Annotation)
    ]
    assert annotations == [
        (
            "warning",
            "careful: 100%, really",
            {"title": "T", "file": "a,b.txt", "line": "3", "endLine": "4"},
        ),
        ("notice", "note", {}),
        ("error", "it went wrong", {}),
    ]
    summaries = [it.markdown for it in bench.seen if isinstance(it, events.Summary)]
    assert len(summaries) == 1
    assert summaries[0].startswith("<h1>Done</h1>\n<table>")
