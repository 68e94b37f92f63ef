"""Services of a job: real PostgreSQL and Redis in real containers."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository
from tests.images import make_tools_image
from tests.ports import choose_port
from tests.registry import Registry, serve_registry
from tests.service_images import ServiceImages, provide_images

from windlass.docker.containers import list_containers, wait_for_container
from windlass.docker.faults import RefusedError
from windlass.docker.images import remove_image
from windlass.docker.networks import list_networks
from windlass.docker.volumes import list_volumes
from windlass.errors import DockerError
from windlass.jobs.containers.labels import JOB, OWNER, own_labels
from windlass.jobs.containers.sweeping import sweep
from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def images(docker: Engine) -> ServiceImages:
    return provide_images(docker)


@pytest.fixture
def docker_bench(bench: Bench, docker: Engine) -> Bench:
    """A bench whose jobs find the daemon."""
    bench.machine["DOCKER_HOST"] = docker.address.text
    return bench


def leftovers(docker: Engine, owner: str = "") -> list[str]:
    """Return what an owner, else this process, has left in the daemon."""
    labels = [f"{OWNER}={owner or own_labels('build')[OWNER]}"]
    found = [str(it["Id"]) for it in list_containers(docker, labels)]
    found += [str(it["Name"]) for it in list_networks(docker, labels)]
    return found + [str(it["Name"]) for it in list_volumes(docker, labels)]


def services(text: str, images: ServiceImages) -> str:
    """Return the key of a job; `<postgres>` and `<redis>` are the images."""
    return in_services(text.replace("<postgres>", images.postgres).replace("<redis>", images.redis))


def in_services(text: str) -> str:
    """Return the key of a job with these services."""
    return (
        "    services:\n" + "\n".join(f"      {line}" for line in text.strip().splitlines()) + "\n"
    )


PATIENT = "--health-retries 600"
"""A service is given up where it stays unhealthy, not where it is slow to start."""

DATABASE = f"""
database:
  image: <postgres>
  env:
    POSTGRES_PASSWORD: ${{{{ secrets.DATABASE_PASSWORD }}}}
    POSTGRES_DB: app
  ports: [5432]
  options: >-
    --health-cmd "pg_isready -U postgres -h 127.0.0.1"
    --health-interval 200ms
    {PATIENT}
"""
CACHE = f"""
cache:
  image: docker://<redis>
  ports: ["6379/tcp"]
  options: --health-cmd "redis-cli ping" --health-interval 200ms {PATIENT}
"""


@pytest.mark.requirement("A12")
@pytest.mark.requirement("C12")
def test_a_job_asks_its_services(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """Services are healthy when the first step runs, reachable by their ports, and gone after."""
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed")
    docker_bench.secrets["DATABASE_PASSWORD"] = "hunter2-of-the-database"

    finished = docker_bench.run(
        """
- env:
    PGPASSWORD: ${{ secrets.DATABASE_PASSWORD }}
    URL: host=localhost port=${{ job.services.database.ports['5432'] }} user=postgres dbname=app
  run: psql "$URL" -Atc 'select 6 * 7'
- shell: bash
  run: |
    exec 3<>/dev/tcp/localhost/${{ job.services.cache.ports[6379] }}
    printf 'INCR visits\\r\\n' >&3
    read -r answer <&3
    echo "redis says $answer"
- run: echo "in ${{ job.container.network == job.services.cache.network }}"
""",
        job=services(DATABASE + CACHE, images),
    )

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert "\n42\n" in output
    assert "redis says :1" in output
    assert "in true" in output
    assert "database service is healthy." in output
    assert "cache service is healthy." in output
    assert "hunter2" not in output
    assert leftovers(docker) == []


@pytest.mark.requirement("C12")
def test_a_service_that_fails_shows_its_log(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """A service that never gets healthy ends the job before any step, and its log says why."""
    finished = docker_bench.run(
        "- run: echo never",
        job=services(DATABASE.replace("POSTGRES_PASSWORD: ${{", "OTHER: ${{"), images),
    )

    output = docker_bench.output()
    assert finished.result is Result.FAILURE
    assert "Error: Database is uninitialized and superuser password is not specified." in output
    assert "is not in running state: it has ended with exit code 1." in output
    assert docker_bench.errors() == [
        f"Failed to initialize container {images.postgres}",
        "One or more containers failed to start.",
    ]
    assert docker_bench.ends() == []
    assert leftovers(docker) == []


def test_a_service_that_stays_unhealthy(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """Docker's verdict counts, not only that the program runs."""
    check = "until redis-cli ping; do sleep 0.1; done; exit 7"
    options = f'--health-cmd "{check}" --health-interval 100ms --health-retries 2'
    finished = docker_bench.run(
        "- run: echo never", job=services(f"a: {{image: <redis>, options: '{options}'}}", images)
    )

    assert finished.result is Result.FAILURE
    assert "##[group]Service container a failed." in docker_bench.output()
    assert "Ready to accept connections" in docker_bench.output()
    assert leftovers(docker) == []


def test_service_without_a_health_check(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """Where nothing checks the health of a service, it counts as healthy, as on GitHub."""
    finished = docker_bench.run("- run: echo fine", job=services("a: {image: <redis>}", images))

    assert finished.result is Result.SUCCESS
    assert "a service is healthy." in docker_bench.output()


def test_entry_point_command_and_volumes(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """A service's `entrypoint` and `command` replace the image's; a named volume is the job's."""
    text = f"""
writer:
  image: <redis>
  entrypoint: /bin/sh
  command: -c "echo written > /shared/file; sleep 600"
  volumes: ["data:/shared"]
reader:
  image: <redis>
  entrypoint: /bin/sh
  command: -c "until cat /shared/file; do sleep 0.1; done; sleep 600"
  volumes: ["data:/shared:ro"]
  options: --health-cmd "test -s /shared/file" --health-interval 100ms {PATIENT}
"""
    finished = docker_bench.run("- run: echo fine", job=services(text, images))

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert re.search(r"Print service container logs: .*-reader\nwritten\n", output) or (
        "\nwritten\n" in output
    )
    assert leftovers(docker) == []


def test_services_reach_each_other_by_name(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """The name of a service is its name in the job's network."""
    text = f"""
{CACHE.strip()}
asker:
  image: <redis>
  entrypoint: /bin/sh
  command: -c "until redis-cli -h cache set asked yes; do sleep 0.1; done; sleep 600"
  options: >-
    --health-cmd "redis-cli -h cache get asked | grep yes" --health-interval 100ms {PATIENT}
"""
    finished = docker_bench.run("- run: echo fine", job=services(text, images))

    assert finished.result is Result.SUCCESS, docker_bench.output()
    assert leftovers(docker) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: {image: nowhere.invalid/none:1}",
            "The service 'a' (nowhere.invalid/none:1) cannot be started",
        ),
        ("a: {image: <redis>, options: --network host}", "The option --network cannot be given"),
        ("a: {image: <redis>, ports: ['x:80']}", "The port 'x:80' cannot be published"),
        ("a: {image: <redis>, entrypoint: /no/such}", "no such file or directory"),
        ("a: {image: <redis>, volumes: ['../x:/y']}", "The volume '../x:/y' cannot be mounted"),
    ],
)
def test_a_service_that_cannot_be_made(
    docker_bench: Bench, docker: Engine, images: ServiceImages, text: str, message: str
) -> None:
    """The job fails with the reason, and what was made before it is removed."""
    finished = docker_bench.run("- run: echo never", job=services(f"{CACHE}{text}", images))

    assert finished.result is Result.FAILURE
    assert message in docker_bench.errors()[0]
    assert docker_bench.errors()[-1] == "One or more containers failed to start."
    assert docker_bench.ends() == []
    assert leftovers(docker) == []


def test_a_port_that_is_taken(docker_bench: Bench, docker: Engine, images: ServiceImages) -> None:
    """A port on which another program listens is told, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finished = docker_bench.run(
            "- run: echo never",
            job=services(f"a: {{image: <redis>, ports: ['{port}:6379']}}", images),
        )

    assert finished.result is Result.FAILURE
    assert str(port) in docker_bench.errors()[0]
    assert "another" in docker_bench.errors()[0]
    assert leftovers(docker) == []


def test_a_job_that_is_cancelled_while_it_waits(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """Nobody waits for the health of a service that is not needed any more."""
    text = 'a: {image: <redis>, options: --health-cmd "exit 1" --health-interval 60s}'
    threading.Timer(1.5, lambda: docker_bench.cancellation.request("enough")).start()
    finished = docker_bench.run("- run: echo never", job=services(text, images))

    assert finished.result is Result.CANCELLED
    assert docker_bench.ends() == []
    assert leftovers(docker) == []


def test_a_service_without_an_image_is_left_out(docker_bench: Bench, docker: Engine) -> None:
    """An empty image starts nothing, and needs no daemon; the log says so."""
    docker_bench.machine["DOCKER_HOST"] = "unix:///nowhere"
    finished = docker_bench.run("- run: echo fine", job="    services: {off: '${{ vars.none }}'}\n")

    assert finished.result is Result.SUCCESS
    assert (
        "The service 'off' will not be started because the container definition has an empty image."
        in docker_bench.output()
    )


def test_without_a_daemon(bench: Bench) -> None:
    """The error says that Docker is missing, not the workflow."""
    bench.machine["DOCKER_HOST"] = "unix:///nowhere/docker.sock"

    with pytest.raises(DockerError, match=r"cannot be reached at unix:///nowhere/docker\.sock"):
        bench.run("- run: echo never", job="    services: {a: redis}\n")


ALONE = """
import os, sys
from pathlib import Path
from tests.integration.jobs.conftest import make_bench
bench = make_bench(Path(sys.argv[1]))
bench.machine["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
bench.on_event = lambda event: print(type(event).__name__, flush=True)
bench.run("- run: sleep 1000", job=Path(sys.argv[2]).read_text())
"""


@pytest.mark.requirement("C12")
def test_nothing_is_left_where_windlass_is_killed(
    docker: Engine, images: ServiceImages, tmp_path: Path
) -> None:
    """Containers end with a Windlass that is killed; the next one removes what else there is."""
    keys = tmp_path / "services.yml"
    keys.write_text(services("a: {image: <redis>, volumes: ['data:/data']}", images))
    (tmp_path / "root").mkdir()
    program = subprocess.Popen(
        [sys.executable, "-c", ALONE, str(tmp_path / "root"), str(keys)],
        cwd=CHECKOUT,
        env={**os.environ, "DOCKER_HOST": docker.address.text},
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert any(line == "StepStarted\n" for line in program.stdout)
        owners = {it["Labels"][OWNER] for it in list_containers(docker, [f"{JOB}=build"])}
        (owner,) = (it for it in owners if it.split("/")[3] == str(program.pid))
        (container, *_) = leftovers(docker, owner)
        program.kill()
    with contextlib.suppress(RefusedError):  # it may be gone already
        wait_for_container(docker, container, removed=True)
    assert list_containers(docker, [f"{OWNER}={owner}"]) == []

    sweep(docker)

    assert leftovers(docker, owner) == []


def test_what_belongs_to_others_is_not_swept(
    docker_bench: Bench, docker: Engine, images: ServiceImages
) -> None:
    """A second Windlass leaves alone what the first has made and still needs."""
    swept: list[int] = []

    def sweep_meanwhile(event: events.RunEvent) -> None:
        if isinstance(event, events.StepStarted):
            sweep(docker)
            swept.append(len(leftovers(docker)))

    docker_bench.on_event = sweep_meanwhile
    finished = docker_bench.run(
        "- run: echo fine", job=services("a: {image: <redis>, volumes: ['data:/data']}", images)
    )

    assert finished.result is Result.SUCCESS
    assert swept == [3]
    assert leftovers(docker) == []


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "repository", tmp_path / "home")
    for folder in (found.path, found.home):
        folder.mkdir()
    found.git("init", "--quiet", "--initial-branch=main")
    return found


QUERY = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
<container>
<services>
    env: {PGPASSWORD: hunter2}
    steps:
      - run: psql "host=<host> user=postgres dbname=app" -Atc "select 6 * 7"
"""
CONTAINER = '    container: {image: "<postgres>", volumes: ["data:/data"], options: --cpus 1}'
LOCAL = "localhost port=${{ job.services.database.ports[5432] }}"


@pytest.mark.requirement("A12")
@pytest.mark.parametrize(
    ("place", "container", "host"),
    [
        ("host", "", LOCAL),
        ("sandbox", "", LOCAL),
        ("docker://<postgres>", "", LOCAL),
        ("host", CONTAINER, "database"),
    ],
    ids=["host", "sandbox", "image", "container"],
)
def test_a_job_asks_its_database_wherever_it_runs(
    docker: Engine,
    images: ServiceImages,
    repository: Repository,
    place: str,
    container: str,
    host: str,
) -> None:
    """On the machine the database is a port of localhost, in a job's container it is a name."""
    if not container and shutil.which("psql") is None:
        pytest.skip("psql is not installed")
    if place == "sandbox" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap (bwrap) is not installed")
    text = QUERY.replace("<container>", container).replace("<host>", host)
    text = text.replace("<services>", services(DATABASE, images))
    text = text.replace("${{ secrets.DATABASE_PASSWORD }}", "hunter2")
    repository.workflow(text.replace("<postgres>", images.postgres))
    repository.commit()

    done = repository.windlass(
        "run",
        "-P",
        f"ubuntu-latest={place.replace('<postgres>', images.postgres)}",
        variables={"DOCKER_HOST": docker.address.text},
    )

    assert done.returncode == 0, done.stdout
    assert "│   42\n" in done.stdout


def test_legs_that_want_one_port_take_turns(
    docker: Engine, images: ServiceImages, repository: Repository
) -> None:
    """Jobs that run at the same time may publish the same port, as on machines of their own."""
    port = choose_port()
    repository.workflow(
        f"""
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy: {{matrix: {{leg: [a, b, c]}}}}
    services:
      cache:
        image: {images.redis}
        ports: ['{port}:6379']
        options: --health-cmd "redis-cli ping" --health-interval 200ms {PATIENT}
    steps:
      - shell: bash
        run: |
          exec 3<>/dev/tcp/localhost/{port}
          printf 'INCR visits\\r\\n' >&3
          read -r answer <&3
          test "${{answer%?}}" = :1
"""
    )
    repository.commit()

    done = repository.windlass(
        "run", "-P", "ubuntu-latest=host", variables={"DOCKER_HOST": docker.address.text}
    )

    assert done.returncode == 0, done.stdout
    assert f"Port {port} of this machine is another job's" in done.stdout


@pytest.fixture(scope="session")
def registry(
    docker: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Registry, str]]:
    """A registry with an image in it that is nowhere else."""
    with serve_registry(tmp_path_factory.mktemp("registry")) as found:
        image = f"{found.host}/octo/tools:1"
        make_tools_image(docker, image)
        push(docker, image, found)
        remove_image(docker, image)
        yield found, image


def push(docker: Engine, image: str, registry: Registry) -> None:
    """Push an image; Windlass itself has no need to."""
    told = {"username": registry.username, "password": registry.password}
    auth = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    name, _, tag = image.rpartition(":")
    path = f"/images/{name}/push"
    list(docker.follow("POST", path, query={"tag": tag}, headers={"X-Registry-Auth": auth}))


PRIVATE = """
private:
  image: <image>
  entrypoint: /bin/sh
  command: -c "sleep 600"
  credentials:
    username: mona
    password: ${{ secrets.REGISTRY_PASSWORD }}
"""


@pytest.mark.requirement("A12")
def test_an_image_that_wants_a_password(
    docker_bench: Bench, docker: Engine, registry: tuple[Registry, str]
) -> None:
    """`credentials` let the daemon pull; they are in no line of the log."""
    found, image = registry
    docker_bench.secrets["REGISTRY_PASSWORD"] = found.password
    finished = docker_bench.run(
        "- run: echo fine", job=in_services(PRIVATE.replace("<image>", image))
    )
    remove_image(docker, image)

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert f"Pulling {image}" in output
    assert found.password not in output


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("wrong", "unauthorized"),
        ("", "Unexpected value ''"),
    ],
)
def test_a_password_that_is_wrong(
    docker_bench: Bench,
    docker: Engine,
    registry: tuple[Registry, str],
    password: str,
    message: str,
) -> None:
    """The job fails at once with what the registry says; a secret that is not there says so."""
    docker_bench.secrets["REGISTRY_PASSWORD"] = password
    finished = docker_bench.run(
        "- run: echo never", job=in_services(PRIVATE.replace("<image>", registry[1]))
    )

    assert finished.result is Result.FAILURE
    assert message in docker_bench.errors()[0]
    assert leftovers(docker) == []
