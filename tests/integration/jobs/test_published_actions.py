"""Actions of other repositories in a job on this machine, from real remotes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.actions.published import PublishedActions
from windlass.model.action_sources import ActionSources
from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench
    from tests.remotes import Remotes

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
SCRIPT = {
    "action.yml": """
inputs:
  who: {default: world}
outputs:
  said: {description: what was said}
runs: {using: node20, main: dist/main.js, pre: pre.js, post: post.js}
""",
    "dist/main.js": """
const fs = require('fs');
console.log(`hello ${process.env.INPUT_WHO} from ${process.env.GITHUB_ACTION_REPOSITORY}`
  + `@${process.env.GITHUB_ACTION_REF}`);
fs.appendFileSync(process.env.GITHUB_OUTPUT, 'said=hello\\n');
""",
    "pre.js": "console.log('before all')",
    "post.js": "console.log('after all')",
}


def composite(*steps: str) -> str:
    """Return an action file with these steps."""
    return "runs:\n  using: composite\n  steps:\n" + "".join(f"    - {step}\n" for step in steps)


@pytest.fixture
def bench(bench: Bench, remotes: Remotes) -> Bench:
    """The bench, with actions of others below the remotes."""
    provide(bench, ActionSources(urls=(remotes.url,)))
    return bench


def provide(bench: Bench, sources: ActionSources) -> None:
    published = PublishedActions(sources, "https://github.com")
    bench.published = lambda: published


def put(bench: Bench, text: str) -> str:
    """Return a step that puts an action into the workspace, as a checkout would."""
    folder = bench.root / "mine/own"
    folder.mkdir(parents=True)
    (folder / "action.yml").write_text(text)
    return f"- run: cp -r {folder} .\n"


def output_of(bench: Bench, step: str) -> str:
    shown = (it for it in bench.seen if isinstance(it, events.Output) and it.step == step)
    return "".join(it.text for it in shown)


@needs_node
def test_an_action_is_there_before_any_step(bench: Bench, remotes: Remotes) -> None:
    """It is downloaded first, and its pre script runs before the first step."""
    sha = remotes.publish("acme/say", SCRIPT)

    end = bench.run(
        "- run: echo first\n- {id: a, uses: acme/say@v1, with: {who: you}}\n"
        "- run: echo ${{ steps.a.outputs.said }}, you"
    )

    assert end.result is Result.SUCCESS
    assert output_of(bench, "") == (
        "Prepare all required actions\n"
        "Getting action download info\n"
        f"Download action repository 'acme/say@v1' (SHA:{sha})\n"
    )
    shown = [it.text for it in bench.seen if isinstance(it, events.Output) and it.step]
    assert "".join(shown) == (
        "before all\nfirst\nhello you from acme/say@v1\nhello, you\nafter all\n"
    )


def test_actions_within_actions_are_fetched_too(bench: Bench, remotes: Remotes) -> None:
    """Folders of a repository, other repositories, and its own by `$/`, each once."""
    remotes.publish(
        "acme/kit",
        {
            "outer/action.yml": composite(
                "uses: other/part/deep/down@main", "uses: $/inner", "uses: acme/kit/inner@v1"
            ),
            "inner/action.yml": composite(
                "{shell: bash, run: 'echo inner of ${{ github.action_repository }} in "
                '$(basename "$(dirname "$GITHUB_ACTION_PATH")")\'}'
            ),
        },
    )
    remotes.publish(
        "other/part", {"deep/down/action.yml": composite("{shell: bash, run: echo deep}")}
    )

    end = bench.run("- uses: acme/kit/outer@v1\n- uses: Acme/Kit/inner@v1")

    assert end.result is Result.SUCCESS
    assert output_of(bench, "").count("Download action repository") == 3
    said = [line for line in bench.output().splitlines() if line.startswith(("inner", "deep"))]
    assert said == ["deep", *["inner of in v1"] * 3]


@needs_node
def test_an_action_of_the_workspace_may_use_those_of_others(bench: Bench, remotes: Remotes) -> None:
    """They are downloaded when its turn comes, have no pre stage, and their post stage runs."""
    remotes.publish("acme/say", SCRIPT)

    end = bench.run(f"{put(bench, composite('uses: acme/say@v1'))}- uses: ./own\n- run: echo last")

    assert end.result is Result.SUCCESS
    told = [line for line in bench.output().splitlines() if line in TOLD]
    assert told == ["hello world from acme/say@v1", "last", "after all"]
    warnings = [
        it.message for it in bench.seen if isinstance(it, events.Annotation) and it.level != "error"
    ]
    # Once in each stage, as ActionRunner.cs does.
    assert warnings == ["`pre` execution is not supported for local action from './own'"] * 2


TOLD = ("before all", "hello world from acme/say@v1", "last", "after all")


def test_a_missing_action_of_an_action_of_the_workspace_fails_its_step(
    bench: Bench, remotes: Remotes
) -> None:
    """Before any of its steps runs, and later steps may still run."""
    remotes.publish("acme/say", SCRIPT)
    own = composite("{shell: bash, run: echo not reached}", "uses: acme/none@v1")

    end = bench.run(
        f"{put(bench, own)}- {{id: own, uses: ./own}}\n- {{if: always(), run: echo last}}"
    )

    assert end.result is Result.FAILURE
    assert "Unable to resolve action `acme/none@v1`, repository not found" in bench.errors()[0]
    assert "not reached" not in output_of(bench, "own")
    assert "last" in bench.output()


BAD = {
    "unknown-repository": (
        {},
        "acme/none@v1",
        "Unable to resolve action `acme/none@v1`, repository not found",
    ),
    "unknown-ref": (
        {"action.yml": composite()},
        "acme/bad@v9",
        "Unable to resolve action `acme/bad@v9`, unable to find version `v9`",
    ),
    "no-manifest": (
        {"README": "", "sub/action.yml": composite()},
        "acme/bad@v1",
        (
            "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action 'acme/bad@v1'. The "
            "repository has 'acme/bad/sub@v1'."
        ),
    ),
    "no-manifest-in-folder": (
        {"README": ""},
        "acme/bad/sub@v1",
        "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action 'acme/bad/sub@v1'.",
    ),
    "unknown-using": (
        {"action.yml": "runs: {using: node99, main: a.js}\n"},
        "acme/bad@v1",
        (
            "acme/bad@v1/action.yml:1:15: 'using: node99' is not supported, use 'composite', "
            "'docker', 'node12', 'node16', 'node20' or 'node24' instead.\n"
            "Failed to load acme/bad@v1/action.yml"
        ),
    ),
    "itself": (
        {"action.yml": composite("uses: acme/bad@v1")},
        "acme/bad@v1",
        "Composite action depth exceeded max depth 9",
    ),
    "in-a-circle": (
        {"a/action.yml": composite("uses: $/b"), "b/action.yml": composite("uses: acme/bad/a@v1")},
        "acme/bad/a@v1",
        "Composite action depth exceeded max depth 9",
    ),
    "out-of-its-folder": (
        {"action.yml": composite()},
        "acme/bad/../../x@v1",
        "Expected format {org}/{repo}[/path]@ref. Actual 'acme/bad/../../x@v1'",
    ),
    "within-another": (
        {"action.yml": composite("uses: acme/none@v1")},
        "acme/bad@v1",
        "Unable to resolve action `acme/none@v1`, repository not found",
    ),
}


@pytest.mark.parametrize(("files", "uses", "message"), BAD.values(), ids=BAD)
def test_an_action_that_cannot_be_had_fails_the_job(
    files: dict[str, str], uses: str, message: str, bench: Bench, remotes: Remotes
) -> None:
    """In the runner's words, before any step has run."""
    remotes.publish("acme/bad", files)

    end = bench.run(f"- run: echo not reached\n- uses: {uses}")

    assert end.result is Result.FAILURE
    [error] = bench.errors()
    assert error.startswith(message)
    assert "not reached" not in bench.output()


def test_actions_of_two_repositories_that_use_each_other_end(
    bench: Bench, remotes: Remotes
) -> None:
    """At the depth at which the runner gives up, before any step has run."""
    remotes.publish("acme/ping", {"action.yml": composite("uses: other/pong@v1")})
    remotes.publish("other/pong", {"action.yml": composite("uses: acme/ping@v1")})

    assert bench.run("- run: echo not reached\n- uses: acme/ping@v1").result is Result.FAILURE
    assert bench.errors() == ["Composite action depth exceeded max depth 9"]
    assert "not reached" not in bench.output()


@needs_node
def test_a_link_out_of_its_folder_is_no_script(bench: Bench, remotes: Remotes) -> None:
    """`main` that leads to a file of this machine is not there, and the job's output says why."""
    (bench.root / "mine.js").write_text("console.log('of this machine')")
    remotes.publish(
        "acme/say",
        {"action.yml": "runs: {using: node20, main: out.js}\n"},
        links={"out.js": str(bench.root / "mine.js")},
    )

    assert bench.run("- uses: acme/say@v1").result is Result.FAILURE
    assert "of this machine" not in bench.output()
    left_out = "The symbolic link 'out.js' of acme/say@v1 leads out of its folder and is left out"
    assert left_out in bench.output()


def test_submodules_and_large_files_of_an_action_are_left_out(
    bench: Bench, remotes: Remotes, tmp_path: Path
) -> None:
    """As in the archive that GitHub hands out: a folder that is empty, and a pointer."""
    remotes.publish("acme/sub", {"a": ""})
    look = "{shell: bash, run: 'cd $GITHUB_ACTION_PATH; ls -A sub; cat x.bin'}"
    files = {
        ".gitattributes": "*.bin filter=lfs\n",
        "x.bin": "version https://git-lfs.github.com/spec/v1\n",
        "action.yml": composite(look),
    }
    remotes.publish("acme/say", files)
    remotes.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(f"{remotes.root}/acme/sub.git", "sub"),
        at=tmp_path / "work/acme/say",
    )
    remotes.publish("acme/say", {})

    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS, bench.errors()
    assert bench.output().endswith("\nversion https://git-lfs.github.com/spec/v1\n")


def test_what_is_kept_and_damaged_is_named(bench: Bench, remotes: Remotes) -> None:
    """With the folder to remove."""
    remotes.publish("acme/say", {"action.yml": composite("{shell: bash, run: echo fine}")})
    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS
    store = bench.root / "user-cache/windlass/repositories/acme/say.git"
    for path in (store / "objects").rglob("*"):
        if path.is_file() and path.parent.name != "info":
            path.chmod(0o644)
            path.write_bytes(b"")

    assert bench.run("- uses: acme/say@v1").result is Result.FAILURE
    assert f"remove {store}: it is fetched again" in bench.errors()[0]


def test_nine_levels_are_enough(bench: Bench, remotes: Remotes) -> None:
    """The runner lets nine composite actions lie in one another, below that of the job."""
    levels = {f"l{n}/action.yml": composite(f"uses: $/l{n + 1}") for n in range(1, 9)}
    deepest = {"l9/action.yml": composite("{shell: bash, run: echo deepest}")}
    remotes.publish("acme/deep", {**levels, **deepest})

    assert bench.run("- uses: acme/deep/l1@v1").result is Result.SUCCESS
    assert "deepest\n" in bench.output()


def test_a_folder_stands_in_for_a_repository(
    bench: Bench, remotes: Remotes, tmp_path: Path
) -> None:
    """With what is not committed, for all refs or for one; the job has a copy of its own."""
    folder = tmp_path / "mine"
    (folder / ".git").mkdir(parents=True)
    (folder / "action.yml").write_text(
        composite(
            '{shell: bash, run: echo mine; ls -A "$GITHUB_ACTION_PATH"; '
            'echo x > "$GITHUB_ACTION_PATH/new"}'
        ).replace('"', "")
    )
    remotes.publish("acme/say", {"action.yml": composite("{shell: bash, run: echo theirs}")})
    provide(bench, ActionSources(urls=(remotes.url,), folders={"Acme/Say@v2": str(folder)}))

    end = bench.run("- uses: acme/say@v1\n- uses: acme/say@v2")

    assert end.result is Result.SUCCESS
    assert bench.output().splitlines()[-3:] == ["theirs", "mine", "action.yml"]
    assert f"acme/say@v2 is taken from {folder}\n" in output_of(bench, "")
    assert not (folder / "new").exists()


def test_pins_decide_which_commit_a_ref_is(bench: Bench, remotes: Remotes) -> None:
    """A tag that moves after it was pinned changes nothing, and no remote is asked about it."""
    before = remotes.publish("acme/say", {"action.yml": composite("{shell: sh, run: echo old}")})
    remotes.publish("acme/say", {"action.yml": composite("{shell: sh, run: echo new}")})
    provide(bench, ActionSources(urls=(remotes.url,), pins={"acme/say@v1": before}))

    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS
    assert bench.output().splitlines()[-1] == "old"


def test_a_remote_that_is_gone_is_remembered(bench: Bench, remotes: Remotes) -> None:
    """Once fetched, an action runs without its remote, and the log says of when it is."""
    remotes.publish("acme/say", {"action.yml": composite("{shell: sh, run: echo said}")})
    with remotes.over_http(smart=True) as url:
        provide(bench, ActionSources(urls=(url,)))
        assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS
    provide(bench, ActionSources(urls=(url,)))

    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS
    assert "Git cannot read http" in output_of(bench, "")
    assert "acme/say@v1 is taken as it was on 2" in output_of(bench, "")


def test_a_job_may_change_its_copy_only(bench: Bench, remotes: Remotes) -> None:
    """What a step writes into an action's folder is gone with the job."""
    write = "{shell: bash, run: 'ls $GITHUB_ACTION_PATH; touch $GITHUB_ACTION_PATH/new'}"
    remotes.publish("acme/say", {"action.yml": composite(write)})

    for _ in range(2):
        assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS
        assert bench.output().splitlines()[-1] == "action.yml"


def test_a_job_without_published_actions_asks_nobody(bench: Bench) -> None:
    """Nor is anything of it imported: the job's place is never asked for them."""
    bench.published = lambda: pytest.fail("asked for published actions")

    assert bench.run("- run: echo a\n- uses: ./none\n  continue-on-error: true").result is (
        Result.SUCCESS
    )
