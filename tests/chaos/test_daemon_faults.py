"""Runs with containers whose daemon is stopped, killed, full or hangs."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository, list_left
from tests.chaos.own_daemon import OwnDaemon
from tests.e2e.repositories import SECONDS, read_until
from tests.images import make_tools_image
from tests.small_registry import SmallRegistry, serve_small_registry

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = "windlass-test/tools:1"
FULL = "no space left on device"
PROMPT = "--stop-timeout 1"
"""A daemon that ends, or comes back, gives a container so many seconds to end: ten by default."""

WORKFLOW = f"""\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: "{IMAGE}"
      volumes: ["${{{{ vars.SIGNS }}}}:/signs", "kept:/kept"]
      options: {PROMPT}
    services:
      box:
        image: ${{{{ vars.IMAGE || '{IMAGE}' }}}}
        entrypoint: /bin/sh
        command: -c "sleep 600"
        options: {PROMPT} ${{{{ vars.OPTIONS }}}}
    steps:
      - shell: sh
        env: {{SIGN: "${{{{ vars.SIGN }}}}"}}
        run: |
          echo be''gun
          until [ -e "/signs/$SIGN" ]; do sleep 0.1; done
      - if: vars.LARGE
        shell: sh
        run: cat /dev/zero > /large
      - if: vars.BUILDS
        uses: actions/checkout@v4
      - if: vars.BUILDS
        uses: ./box
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[OwnDaemon]:
    daemon = OwnDaemon("96m")
    try:
        make_tools_image(daemon.engine, IMAGE)
        yield daemon
    finally:
        daemon.close()


@pytest.fixture(scope="module")
def registry(daemon: OwnDaemon) -> Iterator[SmallRegistry]:
    with serve_small_registry(daemon.entered()) as registry:
        yield registry


@pytest.fixture
def repository(daemon: OwnDaemon, tmp_path: Path) -> DockerRepository:
    found = DockerRepository(tmp_path, daemon.address, enter=daemon.enter)
    found.workflow(WORKFLOW)
    found.write("box/action.yml", "runs: {using: docker, image: Dockerfile}\n")
    found.write("box/Dockerfile", f'FROM {IMAGE}\nCOPY . /\nENTRYPOINT ["/bin/sh", "-c", "id"]\n')
    found.write("box/large", bytes(1 << 20))
    found.commit()
    signs_of(found).mkdir()
    return found


def words(repository: DockerRepository, **variables: str) -> list[str]:
    """Return the command of a run whose first step waits for the sign SIGN, if that is given."""
    told = {"SIGNS": str(signs_of(repository)), **variables}
    given = [word for name, value in told.items() for word in ("--var", f"{name}={value}")]
    return ["run", "-P", "ubuntu-latest=host", *given]


def signs_of(repository: DockerRepository) -> Path:
    return repository.home.parent / "signs"


def finish(process: subprocess.Popen[bytes]) -> str:
    """Return what a run says that is not to succeed, nor to be blamed on Windlass."""
    output, _ = process.communicate(timeout=SECONDS * 2)
    text = output.decode()
    assert process.returncode in (1, 3), text
    assert "Traceback" not in text
    assert "error: unexpected" not in text
    return text


def assert_goes_on(repository: DockerRepository, daemon: OwnDaemon, **variables: str) -> None:
    """History is right, the next run succeeds, and nothing of either is left."""
    shown = json.loads(repository.windlass("show", "--json").stdout)
    assert shown["state"] == "failure"
    code, said = repository.finish(*words(repository, **variables))
    assert code == 0, said
    assert list_left(daemon.engine) == set()


def test_stopped_while_a_step_runs(repository: DockerRepository, daemon: OwnDaemon) -> None:
    """It takes its containers with it: the step fails and says so."""
    process = repository.start(*words(repository, SIGN="never"))
    read_until(process, b"begun")
    daemon.end(signal.SIGTERM)
    try:
        said = finish(process)
    finally:
        daemon.start()

    assert "The container of this job has ended" in said
    assert_goes_on(repository, daemon)


def test_killed_while_a_step_runs(repository: DockerRepository, daemon: OwnDaemon) -> None:
    """The step goes on without it; when it comes back it ends its containers, and so the step."""
    process = repository.start(*words(repository, SIGN="never"))
    read_until(process, b"begun")
    daemon.end(signal.SIGKILL)
    daemon.start()
    said = finish(process)

    assert "The container of this job has ended" in said
    assert_goes_on(repository, daemon)


def test_killed_and_gone_for_good(repository: DockerRepository, daemon: OwnDaemon) -> None:
    """Steps that run, and follow, need no daemon; what cannot be removed is told."""
    process = repository.start(*words(repository, SIGN="go"))
    read_until(process, b"begun")
    daemon.end(signal.SIGKILL)
    (signs_of(repository) / "go").touch()
    try:
        output, _ = process.communicate(timeout=SECONDS)
    finally:
        daemon.start()

    assert process.returncode in (0, 1, 3), output
    assert b"cannot be reached" in output
    assert b"Traceback" not in output
    code, said = repository.finish(*words(repository))
    assert code == 0, said
    assert list_left(daemon.engine) == set()


def test_while_an_image_is_pulled(
    repository: DockerRepository, daemon: OwnDaemon, registry: SmallRegistry
) -> None:
    """The job fails with what happened and what to look at."""
    registry.renew()
    with registry.stalling() as begun:
        process = repository.start(*words(repository, IMAGE=registry.image))
        assert begun.wait(SECONDS)
        daemon.end(signal.SIGKILL)
        try:
            said = finish(process)
        finally:
            daemon.start()

    assert "went away" in said
    assert "journalctl" in said
    assert_goes_on(repository, daemon, IMAGE=registry.image)


def test_while_containers_are_made(repository: DockerRepository, daemon: OwnDaemon) -> None:
    """Wherever it is met by that, nothing stays that was made."""
    # A service that is not healthy yet keeps the job from its steps.
    process = repository.start(*words(repository, OPTIONS="--health-cmd false"))
    read_until(process, b"Create local container network")
    daemon.end(signal.SIGKILL)
    try:
        said = finish(process)
    finally:
        daemon.start()

    assert "went away" in said or "cannot be reached" in said
    assert_goes_on(repository, daemon)


@pytest.mark.parametrize(
    ("variables", "message", "hint"),
    [
        pytest.param({"BUILDS": "yes"}, FULL, "docker system df", id="a build"),
        pytest.param({"LARGE": "yes"}, "No space left on device", "", id="a step"),
    ],
)
def test_no_room(
    repository: DockerRepository,
    daemon: OwnDaemon,
    variables: dict[str, str],
    message: str,
    hint: str,
) -> None:
    """What fails says so; with room again all is well."""
    process = repository.start(*words(repository, SIGN="go", **variables))
    read_until(process, b"begun")
    with daemon.full():
        (signs_of(repository) / "go").touch()
        said = finish(process)

    assert message in said
    assert hint in said
    assert_goes_on(repository, daemon)


def test_no_room_for_an_image(
    repository: DockerRepository, daemon: OwnDaemon, registry: SmallRegistry
) -> None:
    """The daemon's words, and what to do."""
    registry.renew()
    with daemon.full():
        said = finish(repository.start(*words(repository, IMAGE=f"{registry.host}/octo/large:1")))

    assert FULL in said
    assert "docker system df" in said
    assert_goes_on(repository, daemon, IMAGE=f"{registry.host}/octo/large:1")


@pytest.mark.parametrize(
    ("refusal", "message", "hint"),
    [
        ((429, "TOOMANYREQUESTS"), "toomanyrequests", "the registry limits how much"),
        ((401, "UNAUTHORIZED"), "unauthorized", "the registry wants credentials"),
        ((404, "MANIFEST_UNKNOWN"), "manifest unknown", ""),
    ],
    ids=["busy", "secret", "empty"],
)
def test_a_registry_that_refuses(
    repository: DockerRepository,
    registry: SmallRegistry,
    daemon: OwnDaemon,
    refusal: tuple[int, str],
    message: str,
    hint: str,
) -> None:
    """The job fails with the registry's reason, and what can be done about it."""
    registry.refusal = refusal
    try:
        said = finish(repository.start(*words(repository, IMAGE=f"{registry.host}/octo/other:1")))
    finally:
        registry.refusal = None

    assert message in said
    assert hint in said
    assert_goes_on(repository, daemon)


def test_a_layer_that_ends_too_early(
    repository: DockerRepository, registry: SmallRegistry, daemon: OwnDaemon
) -> None:
    """No image is made of half of one."""
    registry.renew()
    registry.cut = True
    try:
        said = finish(repository.start(*words(repository, IMAGE=f"{registry.host}/octo/cut:1")))
    finally:
        registry.cut = False

    assert "unexpected EOF" in said
    assert_goes_on(repository, daemon, IMAGE=f"{registry.host}/octo/cut:1")
