"""Actions in containers, with a real daemon: what they are given, what they leave, how they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import WINDLASS, Repository, read_until, wait_until_gone
from tests.images import make_tools_image
from tests.integration.jobs.conftest import git
from tests.waiting import wait_until

from windlass.docker.containers import (
    create_container,
    list_containers,
    start_container,
)
from windlass.docker.images import build_image, list_images, remove_image
from windlass.jobs.actions.build_contexts import read_blocks, write_context
from windlass.jobs.actions.container_images import BUILT_LABEL
from windlass.jobs.actions.ownership import take_ownership
from windlass.jobs.containers.labels import JOB, OWNER, own_labels
from windlass.jobs.supervisor.presence import read_presence
from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

TOOLS = "windlass-test/tools:1"
OWN = f"windlass-test.worker={os.getpid()}"
"""The label of images that this worker builds and removes."""


@pytest.fixture(scope="module")
def engine(docker: Engine) -> Iterator[Engine]:
    """The daemon, with the image of tools; what the tests build there goes with them."""
    make_tools_image(docker, TOOLS)
    yield docker
    for image in list_images(docker, labels=[OWN]):
        remove_image(docker, image["Id"], force=True)


@pytest.fixture(autouse=True)
def _nothing_is_left(engine: Engine) -> Iterator[None]:
    yield
    labels = [f"{name}={value}" for name, value in own_labels("build").items()]
    assert list_containers(engine, labels) == []


def provide(bench: Bench, files: dict[str, str]) -> str:
    """Return a step that copies files into the workspace, where a checkout would put them."""
    source = bench.root / "actions"
    for name, text in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return f'- run: cp -r "{source}/." .\n'


def log_of(bench: Bench, step: str) -> str:
    return "".join(
        event.text
        for event in bench.seen
        if isinstance(event, events.Output) and event.step == step
    )


def make_repository(folder: Path) -> Repository:
    """Return an empty repository for the command line."""
    for name in ("home", "repository"):
        (folder / name).mkdir()
    repository = Repository(folder / "repository", folder / "home")
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository


def action(script: str, more: str = "") -> dict[str, str]:
    """Return the files of an action, no other of which has the same content."""
    return {
        "box/action.yml": f"""
inputs:
  who: {{default: world}}
runs:
  using: docker
  image: Dockerfile
{more}
""",
        "box/Dockerfile": (
            f"FROM {TOOLS}\nLABEL {OWN}\n# {uuid.uuid4()}\n"
            'COPY entry.sh /\nENTRYPOINT ["/entry.sh"]\n'
        ),
        "box/entry.sh": f"#!/bin/sh\n{script}\n",
    }


MATCHER = (
    '{"problemMatcher": [{"owner": "o", "pattern": [{"regexp": "^bad: (.*)$", "message": 1}]}]}'
)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("$HOME/", "$HOME/"),
        ("/github/workspace/", ""),
        ("$RUNNER_TEMP/", "$RUNNER_TEMP/"),
    ],
    ids=["home", "workspace", "temp"],
)
def test_a_matcher_is_named_as_the_container_knows_it(place: str, named: str, bench: Bench) -> None:
    """Its path is that of the container, or one from the workspace."""
    files = action(
        f"echo '{MATCHER}' > \"{place}m.json\"\n"
        f'echo "::add-matcher::{named}m.json"\necho "bad: thing"'
    )

    end = bench.run(provide(bench, files) + "- {uses: ./box}\n")

    assert end.result is Result.SUCCESS, bench.output()
    assert bench.errors() == ["thing"]


def test_an_action_with_a_dockerfile(bench: Bench) -> None:
    """It gets arguments, inputs and variables; what it writes to its command files counts."""
    files = action(
        'echo "[$1] [$2] $INPUT_WHO $COLOUR $A $(pwd) $HOME"\n'
        'echo "greeting=hello $1" >> "$GITHUB_OUTPUT"\n'
        'echo "LATER=yes" >> "$GITHUB_ENV"\n'
        'echo "# Told" >> "$GITHUB_STEP_SUMMARY"\n'
        "echo made > made.txt",
        '  args: ["${{ inputs.who }}", "two words"]\n  env: {COLOUR: red, A: weak}',
    )

    end = bench.run(
        provide(bench, files)
        + "- {id: x, uses: ./box, with: {who: you}, env: {A: strong}}\n"
        + "- {id: y, run: 'echo \"${{ steps.x.outputs.greeting }} $LATER\"; cat made.txt'}"
    )

    assert end.result is Result.SUCCESS, bench.output()
    assert log_of(bench, "x") == "[you] [two words] you red strong /github/workspace /github/home\n"
    assert log_of(bench, "y") == "hello you yes\nmade\n"
    assert [it.markdown for it in bench.seen if isinstance(it, events.Summary)] == ["# Told\n"]


def test_its_folders_and_paths(bench: Bench) -> None:
    """Every path it is told of is there, under the names that GitHub documents."""
    script = (
        "for name in WORKSPACE EVENT_PATH ENV OUTPUT PATH STATE STEP_SUMMARY; do\n"
        '  eval path=\\$GITHUB_$name; ls -d "$path" > /dev/null && echo "$name ${path%_*}"\n'
        "done\n"
        'cat "$GITHUB_EVENT_PATH"; echo; echo "$RUNNER_TEMP $INPUT_WHO"; ls "$INPUT_WHO"'
    )

    end = bench.run(
        provide(bench, action(script))
        + "- {id: x, uses: ./box, with: {who: '${{ github.workspace }}/box'}}"
    )

    assert end.result is Result.SUCCESS, bench.output()
    assert log_of(bench, "x").splitlines() == [
        "WORKSPACE /github/workspace",
        "EVENT_PATH /github/workflow/event.json",
        *("ENV /github/file_commands/set_env", "OUTPUT /github/file_commands/set_output"),
        *("PATH /github/file_commands/add_path", "STATE /github/file_commands/save_state"),
        "STEP_SUMMARY /github/file_commands/step_summary",
        *("{", '  "number": 7', "}"),
        "/github/runner_temp /github/workspace/box",
        *("Dockerfile", "action.yml", "entry.sh"),
    ]


def test_an_image_is_a_step(bench: Bench) -> None:
    """`with.args` is taken apart as a command line, and no shell sees it."""
    end = bench.run(
        f"- {{id: x, uses: 'docker://{TOOLS}', with: "
        '{entrypoint: /bin/sh, args: \'-c "echo $0 $1" a "b c"\'}}'
    )

    assert end.result is Result.SUCCESS, bench.output()
    assert log_of(bench, "x") == "a b c\n"


def test_the_post_entrypoint_runs_at_the_end_with_the_state(bench: Bench) -> None:
    """In a container of its own."""
    files = action('echo "kept=1" >> "$GITHUB_STATE"', "  post-entrypoint: /bin/env")

    end = bench.run(provide(bench, files) + "- {id: x, uses: ./box}\n- {run: echo between}")

    assert end.result is Result.SUCCESS, bench.output()
    assert "STATE_kept=1\n" in log_of(bench, "post:x")
    assert bench.output().index("between") < bench.output().index("STATE_kept")


def test_what_it_prints_may_be_runner_commands(bench: Bench) -> None:
    """Masks, annotations and outputs work as in any step."""
    files = action('echo "::add-mask::hush"; echo "is hush"; echo "::error file=a.c,line=3::bad"')

    end = bench.run(provide(bench, files) + "- {id: x, uses: ./box}")

    assert end.result is Result.SUCCESS
    assert "is ***\n" in log_of(bench, "x")
    assert "bad" in bench.errors()


def test_secrets_are_hidden_in_what_it_prints(bench: Bench) -> None:
    """A variable that holds one reaches the container."""
    bench.secrets = {"KEY": "s3cr3t-value"}
    files = action('echo "key $KEY ${#KEY}"')

    bench.run(provide(bench, files) + "- {id: x, uses: ./box, env: {KEY: '${{ secrets.KEY }}'}}")

    assert log_of(bench, "x") == "key *** 12\n"


def test_its_exit_code_is_that_of_the_step(bench: Bench) -> None:
    """`continue-on-error` counts; nothing else is said, as in the runner."""
    files = action("exit 7")

    end = bench.run(provide(bench, files) + "- {id: x, uses: ./box, continue-on-error: true}")

    codes = [it.exit_code for it in bench.seen if isinstance(it, events.StepFinished)]
    assert end.result is Result.SUCCESS
    assert codes == [0, 7]
    assert bench.ends()[1] == ("failure", "success")


def test_an_image_is_built_once_for_the_same_content(bench: Bench, engine: Engine) -> None:
    """A change makes another one."""
    files = action("echo first")
    steps = provide(bench, files) + "- {uses: ./box}\n- {uses: ./box}"
    label = f"{BUILT_LABEL}={bench.root}/job/cat/cat/./box/Dockerfile"

    bench.run(steps)
    first = {image["Id"] for image in list_images(engine, labels=[label])}
    bench.run(steps)

    assert len(first) == 1
    assert {image["Id"] for image in list_images(engine, labels=[label])} == first
    provide(bench, {**files, "box/entry.sh": "#!/bin/sh\necho second\n"})
    bench.run(steps)
    assert "second" in bench.output()
    assert len(list_images(engine, labels=[label])) == 2


def test_a_folder_with_only_a_dockerfile_is_an_action(bench: Bench) -> None:
    """As in the first version of actions; the step says what is run."""
    files = {"bare/Dockerfile": f"FROM {TOOLS}\nLABEL {OWN}\n# {uuid.uuid4()}\n"}

    end = bench.run(
        provide(bench, files) + "- {id: x, uses: ./bare, with: {entrypoint: /bin/sh, "
        "args: '-c \"echo $INPUT_ENTRYPOINT\"'}}"
    )

    assert end.result is Result.SUCCESS, bench.output()
    assert log_of(bench, "x") == "/bin/sh\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {"bad/Dockerfile": f"FROM {TOOLS}\n# x\nRUN exit 3\n"},
            "Docker build failed: The command '/bin/sh -c exit 3' returned a non-zero code: 3",
            id="an_instruction_fails",
        ),
        pytest.param(
            {"bad/Dockerfile": "FROM x\nNONSENSE\n"},
            "Docker build failed: dockerfile parse error line 2: unknown instruction: NONSENSE",
            id="no_instruction",
        ),
        pytest.param(
            {"bad/action.yml": "runs: {using: docker, image: docker/Dockerfile}\n"},
            "File not found: '{workspace}/./bad/docker/Dockerfile'",
            id="no_dockerfile",
        ),
        pytest.param(
            {"bad/action.yml": "runs: {using: docker, image: alpine}\n"},
            "'alpine' should be either '[path]/Dockerfile' or 'docker://image[:tag]'.",
            id="neither_of_both",
        ),
    ],
)
def test_an_image_that_cannot_be_built(bench: Bench, files: dict[str, str], message: str) -> None:
    """The step fails with the daemon's words."""
    bench.run(provide(bench, files) + "- {id: x, uses: ./bad}")

    workspace = bench.root / "job" / "cat" / "cat"
    assert [it for it in bench.errors() if it.startswith(message.format(workspace=workspace))]


def test_an_image_that_is_not_there(bench: Bench) -> None:
    """The step fails, says why, and what to look at."""
    bench.run("- {id: x, uses: 'docker://registry.invalid/none:1'}")

    (error,) = bench.errors()
    assert "registry.invalid" in error
    assert "; " in error


def test_an_image_of_ours_is_not_looked_for_in_a_registry(bench: Bench) -> None:
    """Whoever took the name there would run in our place."""
    bench.run("- {id: x, uses: 'docker://windlass/none:1'}")

    (error,) = bench.errors()
    assert "has not been made on this machine" in error
    assert "`windlass images setup` makes it" in error


def test_an_entrypoint_that_is_not_there(bench: Bench) -> None:
    """The daemon says so in the step's output."""
    end = bench.run(f"- {{id: x, uses: 'docker://{TOOLS}', with: {{entrypoint: /no/such}}}}")

    assert end.result is Result.FAILURE
    assert "/no/such" in log_of(bench, "x")


def test_a_daemon_that_is_not_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step fails and says what to start."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{bench.root}/none.sock")

    end = bench.run(f"- {{id: x, uses: 'docker://{TOOLS}'}}")

    assert end.result is Result.FAILURE
    assert "cannot be reached" in bench.errors()[0]
    assert "start Docker" in bench.errors()[0]


def cancel_on(bench: Bench, text: str) -> None:
    def listen(event: events.RunEvent) -> None:
        if isinstance(event, events.Output) and text in event.text:
            threading.Thread(target=bench.cancellation.request, args=("enough",)).start()

    bench.on_event = listen


def test_a_cancelled_step_gets_the_signals_in_its_container(bench: Bench) -> None:
    """SIGINT first; what handles it ends in its own time."""
    files = action("trap 'echo interrupted; exit 3' INT\necho started\nwhile :; do sleep 0.1; done")
    cancel_on(bench, "started")

    end = bench.run(provide(bench, files) + "- {id: x, uses: ./box}")

    assert end.result is Result.CANCELLED
    assert log_of(bench, "x") == "started\ninterrupted\n"


def test_a_step_that_is_killed_leaves_no_container(bench: Bench) -> None:
    """One that ignores everything goes with the last signal."""
    files = action("trap '' INT TERM\necho started\nwhile :; do sleep 0.1; done")

    def listen(event: events.RunEvent) -> None:
        if isinstance(event, events.Output) and "started" in event.text:
            threading.Thread(target=bench.cancellation.force).start()

    bench.on_event = listen
    end = bench.run(provide(bench, files) + "- {id: x, uses: ./box}")

    assert end.result is Result.CANCELLED
    assert log_of(bench, "x") == "started\n"


def test_a_build_that_is_cancelled_is_given_up(bench: Bench, engine: Engine) -> None:
    """Nothing waits for what the daemon builds, and it does not go on."""
    dockerfile = f"FROM {TOOLS}\nLABEL {OWN}\nRUN echo {uuid.uuid4()}; sleep 600\n"

    def is_building() -> bool:
        # What runs for a build has the labels of what was built before.
        return bool(list_containers(engine, [OWN]))

    def cancel() -> None:
        wait_until(is_building)
        bench.cancellation.request("enough")

    def listen(event: events.RunEvent) -> None:
        if isinstance(event, events.StepStarted) and event.step == "x":
            threading.Thread(target=cancel).start()

    bench.on_event = listen
    end = bench.run(provide(bench, {"slow/Dockerfile": dockerfile}) + "- {id: x, uses: ./slow}")

    assert end.result is Result.CANCELLED
    assert wait_until(lambda: not is_building())


def test_actions_in_containers_run_beside_others(bench: Bench) -> None:
    """Each has a container of its own."""
    text = "\n".join(
        f"    - id: s{number}\n      uses: docker://{TOOLS}\n"
        f"      with: {{entrypoint: /bin/ls, args: -d /github/workspace}}"
        for number in range(3)
    )
    end = bench.run(f"- parallel:\n{text}")

    assert end.result is Result.SUCCESS, bench.output()
    assert bench.output().count("/github/workspace\n") == 3


@pytest.fixture
def checked_out(bench: Bench, tmp_path: Path) -> Bench:
    """The bench, with a repository that has an action in a container."""
    root = tmp_path / "repository"
    for name, text in action("cat told.txt; echo more >> told.txt").items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    (root / "told.txt").write_text("told\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    bench.repository = replace(
        bench.repository, root=str(root), head_sha=git(root, "rev-parse", "HEAD")
    )
    bench.layered = True
    return bench


def test_a_container_sees_what_was_checked_out(checked_out: Bench) -> None:
    """Also where a workspace could be mounted for the processes of the job alone."""
    end = checked_out.run(
        "- uses: actions/checkout@v4\n- {id: x, uses: ./box}\n- {id: y, run: cat told.txt}"
    )

    assert end.result is Result.SUCCESS, checked_out.output()
    assert log_of(checked_out, "x") == "told\n"
    assert log_of(checked_out, "y") == "told\nmore\n"


def test_git_finds_the_objects_that_the_workspace_shares(checked_out: Bench) -> None:
    """They are where the user's repository has them, and cannot be written to."""
    script = "cd $(cat .git/objects/info/alternates); ls; mkdir x"
    args = f'-c \\"{script}\\"'
    end = checked_out.run(
        f"- uses: actions/checkout@v4\n- id: x\n  uses: docker://{TOOLS}\n"
        f'  with: {{entrypoint: /bin/sh, args: "{args}"}}'
    )

    assert end.result is Result.FAILURE
    assert "pack\n" in log_of(checked_out, "x")
    assert "Read-only file system" in log_of(checked_out, "x")


def test_docker_itself_takes_the_same_files_into_a_build(
    bench: Bench, engine: Engine, tmp_path: Path
) -> None:
    """What `.dockerignore` leaves out is what the command line client leaves out."""
    client = shutil.which("docker", path="/usr/bin:/bin")
    if client is None:
        pytest.skip("Docker's client (docker.io) is not installed")
    folder = tmp_path / "context"
    names = ("a.md", "README.md", "d/a.md", "d/e/b.txt", "d/keep/c.txt", "temp1", "x/temp2", "z.go")
    for name in (*names, "v/w/z.go", "[x].txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / ".dockerignore").write_text(
        "*.md\n!README.md\nd\n!d/keep\n*/temp*\n**/*.go\n# a comment\n\\[x\\].txt\n"
    )
    (folder / "Dockerfile").write_text(f"FROM {TOOLS}\nCOPY . /context\n")
    repository = f"windlass-test/context-{os.getpid()}"
    told = f"{repository}:told"
    subprocess.run(
        [client, "-H", engine.address.text, "build", "-q", "-t", told, str(folder)],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "DOCKER_BUILDKIT": "0"},
    )
    with tempfile.TemporaryFile() as context:
        write_context(folder, "Dockerfile", context)
        build_image(engine, read_blocks(context), tag=f"{repository}:ours")

    def files_in(image: str) -> list[str]:
        bench.run(f"- {{id: x, uses: 'docker://{image}', with: "
                  "{entrypoint: /bin/find, args: /context -type f}}")  # fmt: skip
        return sorted(log_of(bench, "x").splitlines())

    expected, ours = (files_in(f"{repository}:{name}") for name in ("told", "ours"))
    for name in ("told", "ours"):
        remove_image(engine, f"{repository}:{name}", force=True)
    assert "/context/d/keep/c.txt" in expected
    assert ours == expected


def test_nothing_is_left_of_a_container_when_windlass_is_killed(
    engine: Engine, tmp_path: Path
) -> None:
    """The supervisor removes it, and the log has what it has printed."""
    repository = make_repository(tmp_path)
    job = f"killed-{uuid.uuid4().hex[:8]}"
    repository.workflow(
        f"on: push\njobs:\n  {job}:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: docker://{TOOLS}\n"
        "        with: {entrypoint: /bin/sh, args: '-c \"echo started; sleep 600\"'}\n"
    )
    repository.commit()
    process = subprocess.Popen(
        [*WINDLASS, "run"],
        cwd=repository.path,
        env=repository.environment({"DOCKER_HOST": engine.address.text}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            read_until(process, b"started")
            (record,) = (repository.path / ".windlass/runs").glob("*/1/jobs/1")
            presence = read_presence(record / "supervisor.json")
            assert presence is not None
        finally:
            process.kill()
    # It removes the container before it writes the end of the log.
    wait_until_gone({presence.supervisor[0]})

    assert list_containers(engine, [f"{JOB}={job}"]) == []
    logged = repository.windlass("logs").stdout
    assert "started\nWindlass was killed while this step ran" in logged


def test_files_of_a_containers_root_become_the_users(engine: Engine, tmp_path: Path) -> None:
    """Links themselves and not what they lead to; an image without `chown` cannot do it."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside / "deep"):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (inside / "link").symlink_to(outside / "file")
    bare = f"windlass-test/bare:{os.getpid()}"
    make_tools_image(engine, bare, ["cat"])
    labels = own_labels("build")

    def take(image: str) -> bool:
        return take_ownership(engine, [image], [inside], user=12345, group=54321, labels=labels)

    assert not take(bare)
    assert take(TOOLS)
    for path in (inside / "deep", inside / "deep/file", inside / "link"):
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (12345, 54321), path
    assert (outside / "file").stat().st_uid != 12345
    remove_image(engine, bare, force=True)


@pytest.mark.parametrize(
    "folder",
    ["$RUNNER_TEMP/_github_home", "$RUNNER_TEMP/_runner_file_commands", "$GITHUB_WORKSPACE"],
)
def test_a_link_in_the_place_of_a_folder_is_not_followed(bench: Bench, folder: str) -> None:
    """A daemon would mount whatever it leads to; the step may be one that must not see that."""
    end = bench.run(
        f"- run: cd /; rm -rf {folder}; ln -s /etc {folder}\n"
        f"- {{id: x, uses: 'docker://{TOOLS}', with: {{entrypoint: /bin/ls, args: /github}}}}"
    )

    assert end.result is Result.FAILURE
    assert "A step has put a link in the place of the folder" in bench.errors()[0]
    assert log_of(bench, "x") == ""


def test_the_payload_is_not_written_through_a_link(bench: Bench) -> None:
    """It would be written with the rights of Windlass."""
    target = bench.root / "target"
    bench.run(
        f"- run: mkdir $RUNNER_TEMP/_github_workflow; ln -s {target} "
        "$RUNNER_TEMP/_github_workflow/event.json\n"
        f"- {{id: x, uses: 'docker://{TOOLS}', with: {{entrypoint: /bin/ls, args: /github}}}}"
    )

    assert not target.exists()


def test_what_a_killed_windlass_has_left_goes_with_the_next_one(
    engine: Engine, tmp_path: Path
) -> None:
    """Where its supervisor was killed as well, so that nobody could remove it."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    around = own_labels("x")[OWNER].rsplit("/", 2)[0]
    labels = {OWNER: f"{around}/{ended.pid}/1", JOB: "left"}
    config = {"Image": TOOLS, "Cmd": ["sleep", "600"], "Labels": labels}
    left = create_container(engine, config)
    start_container(engine, left)
    repository = make_repository(tmp_path)
    repository.workflow(
        "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: docker://{TOOLS}\n        with: {{entrypoint: /bin/ls}}\n"
    )
    repository.commit()

    done = repository.windlass("run", variables={"DOCKER_HOST": engine.address.text})

    assert done.returncode == 0, done.stdout
    assert list_containers(engine, [f"{JOB}=left"]) == []


def test_an_action_of_the_commit_has_a_pre_stage(bench: Bench, tmp_path: Path) -> None:
    """It is there before any step, and its stages share what they save."""
    root = tmp_path / "repository"
    files = action(
        "echo main $STATE_from",
        "  pre-entrypoint: /pre.sh\n  post-entrypoint: /bin/env\n  post-if: failure()",
    )
    files["box/Dockerfile"] += "COPY pre.sh /\n"
    files["box/pre.sh"] = '#!/bin/sh\necho "from=pre" >> "$GITHUB_STATE"; echo early\n'
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    bench.repository = replace(
        bench.repository, root=str(root), head_sha=git(root, "rev-parse", "HEAD")
    )

    end = bench.run("- {run: echo first}\n- {id: x, uses: $/box}")

    assert end.result is Result.SUCCESS, bench.output()
    assert bench.output() == "early\nfirst\nmain pre\n"
