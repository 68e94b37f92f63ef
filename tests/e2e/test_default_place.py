"""Where jobs run by default, with real daemons, sandboxes and settings."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.docker_front import renamed_image
from tests.images import make_tools_image
from tests.sandboxes import need_sandbox

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.repositories import Repository

    from windlass.docker.engine import Engine

IMAGE = "windlass/ubuntu-latest"
PRESENT = "windlass-test/place--1"
MISSING = "windlass-test/place--0"
SETUP = "`windlass images setup` makes it"
NO_DOCKER = {"WINDLASS_CONFIG": "", "DOCKER_HOST": "unix:///nowhere/docker.sock"}
WORKFLOW = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {run: echo here, shell: sh}
  own:
    runs-on: gpu
    if: github.event_name == 'never'
    container: debian:12
    steps: [run: 'true']
"""


@pytest.fixture(autouse=True)
def _workflow(repository: Repository) -> None:
    repository.workflow(WORKFLOW)
    repository.commit()


@pytest.fixture
def _sandbox() -> None:
    need_sandbox()


@pytest.fixture
def with_image(docker: Engine, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables by which a daemon answers that has the default image."""
    make_tools_image(docker, PRESENT)
    with renamed_image(docker.address, tmp_path / "socket", IMAGE, PRESENT) as address:
        yield {"WINDLASS_CONFIG": "", "DOCKER_HOST": address}


@pytest.fixture
def without_image(docker: Engine, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables by which a daemon answers that does not have it."""
    with renamed_image(docker.address, tmp_path / "socket", IMAGE, MISSING) as address:
        yield {"WINDLASS_CONFIG": "", "DOCKER_HOST": address}


def lines_about_places(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "jobs r" in line]


def place_of(repository: Repository) -> str:
    """Where the last run has run, as its events say."""
    (*_, last) = sorted((repository.path / ".windlass/runs").glob("*/*/events.jsonl"))
    lines = map(json.loads, last.read_text().splitlines())
    (place,) = [line["place"] for line in lines if line["event"] == "job-started"]
    return str(place)


def test_containers_where_they_are_ready(
    repository: Repository, with_image: dict[str, str]
) -> None:
    """A daemon answers and has the image: jobs run there, and it is said once."""
    done = repository.windlass("run", variables=with_image)

    assert done.returncode == 0, done.stdout + done.stderr
    assert lines_about_places(done) == [
        f"jobs run in containers of {IMAGE}: a Docker daemon answers and has the image"
    ]
    assert place_of(repository) == f"docker://{IMAGE}"


@pytest.mark.usefixtures("_sandbox")
def test_the_sandbox_where_the_image_is_missing(
    repository: Repository, without_image: dict[str, str]
) -> None:
    """What makes the image is said."""
    done = repository.windlass("run", variables=without_image)

    assert done.returncode == 0, done.stdout + done.stderr
    assert lines_about_places(done) == [
        f"jobs run in the sandbox: a Docker daemon answers but has no image {IMAGE}; {SETUP}"
    ]
    assert place_of(repository) == "sandbox"


@pytest.mark.usefixtures("_sandbox")
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param(
            "unix:///nowhere/docker.sock",
            "no Docker daemon is there (unix:///nowhere/docker.sock)",
            id="no socket",
        ),
        pytest.param("unix://{dead}", "The Docker daemon cannot be reached at", id="dead socket"),
        pytest.param("tcp://127.0.0.1:1", "may be on another machine", id="elsewhere"),
        pytest.param("ssh://me@there", "DOCKER_HOST is 'ssh://me@there', which is no", id="SSH"),
    ],
)
def test_the_sandbox_without_docker(
    repository: Repository, tmp_path: Path, address: str, reason: str
) -> None:
    """Without a daemon that can be used jobs run in the sandbox; the reason is said."""
    (tmp_path / "dead").touch()
    variables = {"WINDLASS_CONFIG": "", "DOCKER_HOST": address.format(dead=tmp_path / "dead")}

    done = repository.windlass("run", variables=variables)

    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = lines_about_places(done)
    assert line.startswith("jobs run in the sandbox: ")
    assert reason in line
    assert place_of(repository) == "sandbox"


@pytest.fixture
def no_place(tmp_path: Path) -> dict[str, str]:
    """The variables by which there is neither Docker nor bubblewrap."""
    (tmp_path / "bin").mkdir()
    for name in ("git", "sh"):
        program = shutil.which(name)
        assert program is not None, name
        (tmp_path / "bin" / name).symlink_to(program)
    return {**NO_DOCKER, "PATH": str(tmp_path / "bin")}


def test_no_place_at_all(repository: Repository, no_place: dict[str, str]) -> None:
    """Nothing starts, nothing is left; what to install and how to choose the machine is said."""
    done = repository.windlass("run", variables=no_place)

    assert done.returncode == 3
    assert done.stdout == ""
    assert "there is no place for jobs: no Docker daemon is there" in done.stderr
    for cure in ("install the package bubblewrap", "-P '*=host'", '"*" = "host"'):
        assert cure in done.stderr
    assert not (repository.path / ".windlass/runs").exists()
    assert repository.windlass("run", "-P", "*=host", variables=no_place).returncode == 0
    assert place_of(repository) == "host"


def test_a_plan_without_a_place(repository: Repository, no_place: dict[str, str]) -> None:
    """A plan is made all the same, and says that it could not run here."""
    done = repository.windlass("plan", "--json", variables=no_place)

    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert planned["workflows"][0]["jobs"][0]["legs"][0]["place"] == "UNKNOWN"
    (warning,) = planned["diagnostics"]
    assert warning["code"] == "default-place"
    assert warning["severity"] == "warning"


@pytest.mark.usefixtures("_sandbox")
def test_a_change_of_the_default_is_told(
    repository: Repository, with_image: dict[str, str]
) -> None:
    """Once: the run after it finds what it expects. A run again stays where it ran."""
    repository.windlass("run", variables=with_image)

    changed = repository.windlass("run", variables=NO_DOCKER)
    after = repository.windlass("run", variables=NO_DOCKER)
    again = repository.windlass("rerun", variables=with_image)

    told = f"warning: jobs ran in containers of {IMAGE} here and run in the sandbox from now on: "
    assert [line.startswith(told) for line in lines_about_places(changed)] == [False, True]
    assert len(lines_about_places(after)) == 1
    assert lines_about_places(again) == []
    assert place_of(repository) == "sandbox"
    assert again.returncode == 0


@pytest.mark.usefixtures("_sandbox")
def test_a_run_again_elsewhere(repository: Repository) -> None:
    """Only who says so moves a run, and its next attempt stays there."""
    repository.windlass("run", variables=NO_DOCKER)

    assert repository.windlass("rerun", "-P", "*=host", variables=NO_DOCKER).returncode == 0
    assert place_of(repository) == "host"
    assert repository.windlass("rerun", variables=NO_DOCKER).returncode == 0
    assert place_of(repository) == "host"
    wrong = repository.windlass("rerun", "-P", "*=mars", variables=NO_DOCKER)
    assert wrong.returncode == 2
    assert "cannot run in 'mars'" in wrong.stderr


@pytest.mark.usefixtures("_sandbox")
def test_json_says_where_and_why(repository: Repository) -> None:
    """The choice is a line of the stream, before the run begins."""
    done = repository.windlass("run", "--json", variables=NO_DOCKER)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (told,) = [line for line in lines if line["event"] == "diagnostic"]
    assert (told["code"], told["severity"]) == ("default-place", "notice")
    assert told["message"].startswith("jobs run in the sandbox: no Docker daemon is there")
    assert lines.index(told) == 0


SETTINGS = """
[places]
ubuntu-latest = "host"
"*" = "sandbox"
"""


@pytest.mark.parametrize(
    ("words", "place", "told"),
    [
        pytest.param([], "host", "* in sandbox", id="settings"),
        pytest.param(["-P", "gpu=sandbox"], "host", "* in sandbox", id="another label"),
        pytest.param(["-P", "Ubuntu-Latest=sandbox"], "sandbox", "* in sandbox", id="option"),
        pytest.param(["-P", "*=sandbox"], "sandbox", "", id="every label"),
    ],
)
@pytest.mark.usefixtures("_sandbox")
def test_what_the_user_says_comes_first(
    repository: Repository, words: list[str], place: str, told: str
) -> None:
    """The option before the settings, both before the default, of which nothing is said then."""
    settings = repository.home / ".config/windlass/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)

    done = repository.windlass("run", *words, variables=NO_DOCKER)

    assert done.returncode == 0, done.stderr
    assert place_of(repository) == place
    assert lines_about_places(done) == []
    lines = [f"from {settings}: jobs for {told}"] if told else []
    assert [line for line in done.stderr.splitlines() if line.startswith("from ")] == lines


def test_only_what_a_job_needs_is_required(
    repository: Repository, no_place: dict[str, str]
) -> None:
    """Settings may name places for other repositories that cannot be made here."""
    settings = repository.home / "settings"
    settings.write_text('[places]\n"*" = "sandbox"\nubuntu-latest = "host"\ngpu = "docker://x"\n')

    done = repository.windlass("run", variables={**no_place, "WINDLASS_CONFIG": str(settings)})

    assert done.returncode == 0, done.stderr
    assert place_of(repository) == "host"


def test_a_daemon_that_is_gone(repository: Repository, with_image: dict[str, str]) -> None:
    """A place that was said, or that a run has had, is required before anything begins."""
    repository.windlass("run", variables=with_image)

    for words in (["run", "-P", "*=docker"], ["rerun"]):
        done = repository.windlass(*words, variables=NO_DOCKER)
        assert done.returncode == 3
        assert done.stdout == ""
        assert "The Docker daemon cannot be reached at unix:///nowhere" in done.stderr
    assert len(list((repository.path / ".windlass/runs").glob("*/*/events.jsonl"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            '[places]\n"*" = "mars"\n', ":2: jobs for '*' cannot run in 'mars'", id="place"
        ),
        pytest.param('[places]\ngpu = "docker"\n', ":2: no image stands for the label", id="image"),
        pytest.param("[placez]\n", ":1: there is no setting 'placez'", id="setting"),
        pytest.param("[places", ":1:8: not TOML: ", id="syntax"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_mistakes_in_the_settings(
    repository: Repository, command: str, text: str, message: str
) -> None:
    """They end the command before anything starts, with file and line."""
    settings = repository.home / "settings"
    settings.write_text(text)

    done = repository.windlass(command, variables={"WINDLASS_CONFIG": str(settings)})

    assert done.returncode == 2
    assert f"{settings}{message}" in done.stderr
    assert "hint: " in done.stderr


def test_a_repository_brings_no_settings(repository: Repository, no_place: dict[str, str]) -> None:
    """What lies in it is not read: it would let itself out."""
    for name in ("config.toml", ".config/windlass/config.toml", ".windlass/config.toml"):
        repository.write(name, SETTINGS)

    assert repository.windlass("run", variables=no_place).returncode == 3


def test_a_container_of_its_own(repository: Repository, docker: Engine) -> None:
    """Where a job's container is known before, the events name its image; an empty one is none."""
    make_tools_image(docker, PRESENT)
    repository.workflow(
        "on: push\njobs:\n  own:\n    runs-on: gpu\n    container: ${{ vars.IMAGE }}\n"
        "    steps:\n      - {run: echo here, shell: sh}\n"
    )
    repository.commit()
    variables = {"DOCKER_HOST": docker.address.text}

    done = repository.windlass("run", "--var", f"IMAGE={PRESENT}", variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert place_of(repository) == f"docker://{PRESENT}"
    assert repository.windlass("run", variables=variables).returncode == 0
    assert place_of(repository) == "host"


def test_a_plan_says_where(repository: Repository) -> None:
    """A job with a container of its own has that place, whatever its label has."""
    repository.workflow(WORKFLOW.replace("if: github.event_name == 'never'", ""))

    done = repository.windlass("plan", "--json", "-P", "gpu=sandbox")

    jobs = json.loads(done.stdout)["workflows"][0]["jobs"]
    assert {job["id"]: job["legs"][0]["place"] for job in jobs} == {
        "a": "host",
        "own": "docker://debian:12",
    }
