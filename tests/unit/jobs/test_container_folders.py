"""What the container of an action is told: mounts, variables, and its paths.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs,
Container/ContainerInfo.cs (TranslateToContainerPath)
"""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.jobs.actions.container_folders import ContainerFolders, Mount
from windlass.jobs.actions.containers import describe_container, find_network, list_variables
from windlass.jobs.folders import JobFolders
from windlass.lang.positions import Position, Span
from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import ActionStep, Condition
from windlass.plan.container_actions import ContainerRun
from windlass.plan.steps import StartStep

ROOT = Path("/work/1-build")
FOLDERS = JobFolders(ROOT, "hello", Path("/tools"))
INSIDE = JobFolders(Path("/__w"), "hello", Path("/__t"))
IN_CONTAINER = ContainerFolders(FOLDERS, FOLDERS)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/work/1-build/hello/hello", "/github/workspace"),
        ("/work/1-build/hello/hello/src/a.c", "/github/workspace/src/a.c"),
        ("/work/1-build/hello/hello2", "/work/1-build/hello/hello2"),
        ("/work/1-build/hello", "/work/1-build/hello"),
        ("/work/1-build/_temp", "/github/runner_temp"),
        ("/work/1-build/_temp/x", "/github/runner_temp/x"),
        ("/work/1-build/_temp/_github_home", "/github/home"),
        ("/work/1-build/_temp/_runner_file_commands/a", "/github/file_commands/a"),
        ("/work/1-build/_temp/_github_workflow/event.json", "/github/workflow/event.json"),
        ("/work/1-build/_event.json", "/github/workflow/event.json"),
        ("/tools", "/tools"),
        ("see /work/1-build/_temp", "see /work/1-build/_temp"),
        ("", ""),
    ],
)
def test_paths_of_the_job_have_other_names_in_there(path: str, expected: str) -> None:
    """A whole text that is such a path, or lies below one, is translated."""
    assert IN_CONTAINER.translate(path) == expected


def test_paths_as_a_job_container_has_them_are_translated_too() -> None:
    """A job in a container knows its folders by other names than this machine."""
    folders = ContainerFolders(FOLDERS, INSIDE)

    assert folders.translate("/__w/hello/hello/a") == "/github/workspace/a"
    assert folders.translate("/work/1-build/hello/hello/a") == "/github/workspace/a"


def test_the_mounts_are_those_of_the_runner() -> None:
    """Except for the daemon's socket; all of them may be written to."""
    assert IN_CONTAINER.mounts() == (
        Mount("/work/1-build/_temp", "/github/runner_temp"),
        Mount("/work/1-build/_temp/_github_home", "/github/home"),
        Mount("/work/1-build/_temp/_github_workflow", "/github/workflow"),
        Mount("/work/1-build/_temp/_runner_file_commands", "/github/file_commands"),
        Mount("/work/1-build/hello/hello", "/github/workspace"),
    )


def make_order(**keys: object) -> StartStep:
    nowhere = Span("w.yml", Position(1, 1), Position(1, 1))
    step = ActionStep(
        id="x",
        id_given=True,
        span=nowhere,
        uses=StringToken("./x", nowhere),
        condition=Condition("success()"),
    )
    return StartStep(key="x", name="x", step=step, **keys)


def test_variables_of_a_container() -> None:
    """The step's are stronger than the action's, GITHUB_* than all; nothing of the host's own."""
    order = make_order(
        variables={"A": "step", "HOME": "/root", "GITHUB_JOB": "mine"},
        inputs={"who to": "/work/1-build/hello/hello/you"},
        state={"saved": "1"},
        paths=("/opt/bin",),
    )
    run = ContainerRun(image="Dockerfile", variables={"A": "action", "B": "action"})
    base = {"PATH": "/bin", "HOME": "/h", "USER": "u", "http_proxy": "http://p", "GIVEN": "yes"}
    contexts = {"github": {"job": "build", "workspace": str(FOLDERS.workspace), "token": "t"}}

    assert list_variables(order, run, contexts, base, IN_CONTAINER) == {
        "http_proxy": "http://p",
        "GIVEN": "yes",
        "A": "step",
        "B": "action",
        "STATE_saved": "1",
        "INPUT_WHO_TO": "/github/workspace/you",
        "HOME": "/github/home",
        "GITHUB_JOB": "build",
        "GITHUB_WORKSPACE": "/github/workspace",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
    }


def test_a_container_as_the_daemon_is_told() -> None:
    """Arguments and entrypoint are lists, so that nothing is taken apart again."""
    run = ContainerRun(image="docker://a:1", entrypoint="/my entry", arguments=("a b", ""))

    config = describe_container(
        "a:1",
        run,
        {"A": "b=c", "E": ""},
        mounts=[Mount("/w", "/github/workspace"), Mount("/o", "/o", read_only=True)],
        network="net",
        labels={"windlass.job": "build"},
    )

    assert config == {
        "Image": "a:1",
        "Env": ["A=b=c", "E="],
        "WorkingDir": "/github/workspace",
        "Labels": {"windlass.job": "build"},
        "AttachStdout": True,
        "AttachStderr": True,
        "Entrypoint": ["/my entry"],
        "Cmd": ["a b", ""],
        "HostConfig": {
            "Mounts": [
                {"Type": "bind", "Source": "/w", "Target": "/github/workspace", "ReadOnly": False},
                {"Type": "bind", "Source": "/o", "Target": "/o", "ReadOnly": True},
            ],
            "LogConfig": {"Type": "none"},
            "NetworkMode": "net",
        },
    }


def test_what_is_not_given_is_left_to_the_image() -> None:
    """Its entrypoint and arguments count, and the usual network."""
    config = describe_container(
        "a", ContainerRun(image="docker://a"), {}, mounts=(), network="", labels={}
    )

    assert not {"Entrypoint", "Cmd"} & set(config)
    assert "NetworkMode" not in config["HostConfig"]


@pytest.mark.parametrize(
    ("contexts", "network"),
    [
        ({}, ""),
        ({"job": {}}, ""),
        ({"job": {"container": None}}, ""),
        ({"job": {"container": {"network": "n1"}}}, "n1"),
    ],
)
def test_the_network_is_that_of_the_job(contexts: dict[str, object], network: str) -> None:
    """`job.container.network`, which a job with services has too."""
    assert find_network(contexts) == network
