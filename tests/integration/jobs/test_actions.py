"""Local actions on this machine: composite and in JavaScript, with real processes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.integration.jobs.conftest import git

from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")


@pytest.fixture
def repository(bench: Bench, tmp_path: Path) -> Bench:
    """The bench, with a repository that has an action."""
    root = tmp_path / "repository"
    (root / "look").mkdir(parents=True)
    (root / "look/action.yml").write_text(
        """
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "${{ github.action_path }}" | grep -o '/_actions/.*'
"""
    )
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    bench.repository = replace(
        bench.repository, root=str(root), head_sha=git(root, "rev-parse", "HEAD")
    )
    return bench


def provide(bench: Bench, files: dict[str, str]) -> str:
    """Return a step that copies files into the workspace, where a checkout would put them."""
    source = bench.root / "actions"
    for name, text in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return f'- run: cp -r "{source}/." .\n'


def log_of(bench: Bench, step: str) -> str:
    return "".join(
        event.text
        for event in bench.seen
        if isinstance(event, events.Output) and event.step == step
    )


JAVASCRIPT = {
    "greet/action.yml": """
name: Greet
inputs:
  who to:
    default: world
  loud:
    required: true
outputs:
  said:
    description: what was said
runs:
  using: node20
  main: main.js
  post: post.js
""",
    "greet/main.js": """
const fs = require('fs');
const set = (file, line) => fs.appendFileSync(process.env[file], line + '\\n');
console.log(`hello ${process.env.INPUT_WHO_TO} [${process.env.INPUT_LOUD}]`);
console.log(`${process.env.GITHUB_ACTION} in ${process.cwd() === process.env.GITHUB_WORKSPACE}`);
set('GITHUB_OUTPUT', 'said=hello');
set('GITHUB_ENV', 'FROM_ACTION=yes');
set('GITHUB_STATE', 'count=7');
console.log('::warning file=a.txt,line=3::careful');
""",
    "greet/post.js": """
console.log(`post ${process.env.STATE_count} ${process.env.INPUT_LOUD} ${process.env.FROM_ACTION}`);
""",
}


@needs_node
def test_javascript(bench: Bench) -> None:
    """An action in JavaScript gets inputs and state, sets outputs and variables, and cleans up."""
    finished = bench.run(
        provide(bench, JAVASCRIPT)
        + """
- uses: ./greet
  id: greet
  with:
    loud: very
- run: echo "${{ steps.greet.outputs.said }} $FROM_ACTION"
"""
    )

    assert finished.result is Result.SUCCESS, bench.errors()
    assert bench.output() == ("hello world [very]\ngreet in true\nhello yes\npost 7 very yes\n")
    warnings = [it for it in bench.seen if isinstance(it, events.Annotation)]
    assert [(it.level, it.message, dict(it.properties)) for it in warnings] == [
        ("warning", "careful", {"file": "a.txt", "line": "3"})
    ]
    names = [it.name for it in bench.seen if isinstance(it, events.StepStarted)]
    assert names[1:] == ["Run ./greet", 'Run echo "hello $FROM_ACTION"', "Post Run ./greet"]


@needs_node
def test_failing_javascript(bench: Bench) -> None:
    """The exit code of a script fails the step, in silence: the script has said why."""
    finished = bench.run(
        provide(
            bench,
            {
                "a/action.yml": "runs: {using: node16, main: dist/index.js}",
                "a/dist/index.js": "console.log('::error::no'); process.exit(4)",
            },
        )
        + "- uses: ./a\n"
    )

    assert finished.result is Result.FAILURE
    assert bench.errors() == ["no"]
    assert bench.ends()[-1] == ("failure", "failure")


COMPOSITE = {
    "outer/action.yml": """
inputs:
  name: {default: "${{ github.job }}"}
outputs:
  path: {value: "${{ steps.where.outputs.path }}"}
runs:
  using: composite
  steps:
    - id: where
      shell: bash
      run: |
        echo "outer ${{ inputs.name }} $A ${GITHUB_ACTION_PATH#$GITHUB_WORKSPACE}"
        echo "path=${{ github.action_path }}" >> $GITHUB_OUTPUT
        echo "B=b" >> $GITHUB_ENV
    - uses: ./inner
      with: {text: "from ${{ inputs.name }}"}
""",
    "inner/action.yml": """
inputs:
  text: {required: true}
runs:
  using: composite
  steps:
    - shell: python
      working-directory: inner
      run: |
        import os
        print("inner", "${{ inputs.text }}", os.environ["B"], os.getcwd().endswith("/inner"))
""",
}


def test_composite(bench: Bench) -> None:
    """Composite actions nest; each has its inputs, its steps and its path."""
    finished = bench.run(
        provide(bench, COMPOSITE)
        + """
- uses: ./outer
  id: outer
  env: {A: a}
- run: echo "${{ steps.outer.outputs.path }}" | sed "s|$GITHUB_WORKSPACE||"
"""
    )

    assert finished.result is Result.SUCCESS, bench.errors()
    assert bench.output() == ("outer build a /./outer\ninner from build b True\n/./outer\n")
    parents = {it.step: it.parent for it in bench.seen if isinstance(it, events.StepStarted)}
    assert parents == {
        "__run": "",
        "outer": "",
        "outer.where": "outer",
        "outer.__self": "outer",
        "outer.__self.__run": "outer.__self",
        "__run_2": "",
        # A local action inside may have a post script: that is known only when it is read.
        "post:outer": "",
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {},
            "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{workspace}/a'. Did "
            "you forget to run actions/checkout before running your local action?",
            id="missing",
        ),
        pytest.param(
            {"a/action.yml": "runs:\n  using: node20\n"},
            "a/action.yml:2:3: There's not enough info to determine what you meant. Add one of "
            "these properties: ",
            id="no-main",
        ),
        pytest.param({"a/action.yml": "runs: [\n"}, "a/action.yml:2:1: ", id="no-yaml"),
        pytest.param({"a/action.yml/x": ""}, "Failed to load a/action.yml: ", id="folder"),
        pytest.param(
            {"a/action.yml": "runs: {using: node20, main: x.js}"},
            "File not found: '{workspace}/./a/x.js'",
            id="no-script",
        ),
    ],
)
def test_broken_action(bench: Bench, files: dict[str, str], message: str) -> None:
    """An action that cannot be read fails its step and says what is wrong, and where."""
    finished = bench.run(provide(bench, {"x": "", **files}) + "- uses: ./a\n")

    workspace = str(bench.root / "job/cat/cat")
    assert finished.result is Result.FAILURE
    assert bench.errors()[0].startswith(message.replace("{workspace}", workspace))


def use_programs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let PATH be one folder with a few programs, and no Node.js be installed as a package."""
    folder = bench.root / "bin"
    folder.mkdir()
    for program in ("bash", "cp"):
        (folder / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("windlass.jobs.actions.node.PACKAGE", "no_such_package")
    return folder


def test_no_node(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Node.js, each stage says what to install."""
    use_programs(bench, monkeypatch)
    bench.run(provide(bench, JAVASCRIPT) + "- uses: ./greet\n")

    message = (
        "The action runs on Node.js 20, and this machine has no Node.js: put `node` on PATH, or "
        "add the one of `pip install 'windlass[node]'`."
    )
    assert bench.errors() == [message, message]


def test_other_node(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest newer Node.js stands in for the one that is missing, which is said once."""
    folder = use_programs(bench, monkeypatch)
    paths = [str(folder)]
    for version in (18, 24, 22):
        program = folder / f"n{version}" / "node"
        program.parent.mkdir()
        program.write_text(
            f'#!{folder}/bash\nif [ "$1" = --version ]; then echo v{version}.1.0; '
            f"else echo run by {version}; fi\n"
        )
        program.chmod(0o755)
        paths.append(str(program.parent))
    monkeypatch.setenv("PATH", ":".join(paths))
    bench.run(provide(bench, JAVASCRIPT) + "- uses: ./greet\n- uses: ./greet\n")

    remark = f"The action asks for Node.js 20; it runs on {folder}/n22/node, which is Node.js 22."
    assert bench.output() == f"{remark}\n" + "run by 22\n" * 4


def test_actions_of_the_commit(repository: Bench) -> None:
    """`$/path` is the repository at the run's commit, whatever lies in the workspace."""
    finished = repository.run(
        """
- run: mkdir look; touch look/action.yml
- uses: $/look
"""
    )

    assert finished.result is Result.SUCCESS, repository.errors()
    sha = repository.repository.head_sha
    assert repository.output() == f"/_actions/octo/cat/{sha}/look\n"


def test_missing_action_of_the_commit(repository: Bench) -> None:
    """A job whose `$/path` does not exist fails before its first step."""
    finished = repository.run("- run: echo never\n- uses: $/nowhere\n")

    assert finished.result is Result.FAILURE
    assert repository.output() == ""
    assert repository.errors()[0].startswith("Can't find 'action.yml'")
