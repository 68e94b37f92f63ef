"""The variables of a step."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.jobs.environment import base_variables, runner_context, step_variables
from windlass.jobs.folders import JobFolders

FOLDERS = JobFolders(Path("/j"), "repo", Path("/tools"))
USERS_OWN = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "USER": "me",
    "AWS_SECRET_ACCESS_KEY": "x",
    "GITHUB_TOKEN": "x",
    "https_proxy": "http://proxy",
    "LANG": "de_DE.UTF-8",
    "BASH_ENV": "/x",
}


def test_base_is_clean() -> None:
    """A job sees PATH, the proxy and the name of the user, and nothing else of theirs."""
    base = base_variables(FOLDERS, USERS_OWN, "mark")

    assert base == {
        "PATH": "/usr/bin",
        "https_proxy": "http://proxy",
        "HOME": "/j/_home",
        "USER": "me",
        "LOGNAME": "me",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "AGENT_TOOLSDIRECTORY": "/tools",
        "GIT_CEILING_DIRECTORIES": "/j",
        "RUNNER_TRACKING_ID": "mark",
    }


def test_base_without_path() -> None:
    """A machine without PATH gets the usual one."""
    assert base_variables(FOLDERS, {}, "mark")["PATH"].startswith("/usr/local/sbin:")


@pytest.mark.parametrize(
    ("base", "step", "github", "expected"),
    [
        pytest.param({"A": "1"}, {"A": "2"}, {}, {"A": "2"}, id="step-over-base"),
        pytest.param({}, {"GITHUB_SHA": "x"}, {"sha": "y"}, {"GITHUB_SHA": "y"}, id="github-wins"),
        pytest.param({}, {}, {"ref_protected": False}, {"GITHUB_REF_PROTECTED": "false"}),
        pytest.param({}, {}, {"token": "t", "event": {}, "run_number": 1.0}, {}, id="not-exported"),
        pytest.param({}, {"CI": "no"}, {}, {"CI": "no"}, id="ci-may-be-set"),
        pytest.param(
            {}, {"GITHUB_ACTIONS": "no"}, {}, {"GITHUB_ACTIONS": "true"}, id="actions-may-not"
        ),
    ],
)
def test_layers(
    base: dict[str, str],
    step: dict[str, str],
    github: dict[str, object],
    expected: dict[str, str],
) -> None:
    """The later layer wins; GITHUB_* cannot be overridden."""
    variables = step_variables(base, step, (), {"github": github})  # type: ignore[dict-item]

    assert {"CI": "true", "GITHUB_ACTIONS": "true", **expected} == variables


def test_paths_come_first() -> None:
    """What was added to PATH stands before the PATH of the step, or else of the machine."""
    base = {"PATH": "/usr/bin"}

    assert step_variables(base, {}, ("/b", "/a"), {})["PATH"] == "/b:/a:/usr/bin"
    assert step_variables(base, {"PATH": "/own"}, ("/b",), {})["PATH"] == "/b:/own"


def test_runner_context_is_exported() -> None:
    """RUNNER_* are the runner context."""
    context = runner_context(FOLDERS, name="north", debug=True)
    variables = step_variables({}, {}, (), {"runner": context})

    assert variables["RUNNER_NAME"] == "north"
    assert variables["RUNNER_OS"] == "Linux"
    assert variables["RUNNER_TEMP"] == "/j/_temp"
    assert variables["RUNNER_TOOL_CACHE"] == "/tools"
    assert variables["RUNNER_WORKSPACE"] == "/j/repo"
    assert variables["RUNNER_DEBUG"] == "1"
    assert "debug" not in runner_context(FOLDERS, name="north", debug=False)
