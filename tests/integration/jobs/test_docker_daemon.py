"""A Docker daemon of a job's own, with a real one around it: what a job can do, what is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository
from tests.daemon_images import CLIENT_IMAGE
from tests.e2e.repositories import WINDLASS, read_until
from tests.images import make_tools_image, pack
from tests.registry import PASSWORD, USERNAME, write_registry_settings
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.docker.containers import list_containers
from windlass.docker.images import build_image, inspect_image
from windlass.docker.volumes import list_volumes
from windlass.errors import ExecutorError
from windlass.jobs.containers.labels import JOB
from windlass.jobs.containers.sweeping import sweep
from windlass.jobs.docker_needs import DockerNeeds
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.model.status import Result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

BASE = "windlass-test/daemon-base:1"
TOOLS = "windlass-test/daemon-tools:3"
"""What jobs build on: it is copied from the daemon outside, as config.toml can say."""

PAGES = """
import socket, sys
with socket.create_server(("", 80)) as server:
    while True:
        asked, _ = server.accept()
        with asked, open(sys.argv[1], "rb") as page:
            asked.recv(4096)
            asked.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + page.read())
"""
READ = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as asked:
    asked.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print("read", asked.makefile("rb").read().splitlines()[-1])
"""

SERVER = "python /pages.py /srv/page"


@pytest.fixture
def docker_bench(bench: Bench, docker: Engine, client_image: str) -> Bench:
    """A bench whose jobs run in containers and get a daemon where they need one."""
    make_tools_image(docker, BASE, ("sh", "cat", "ls", "env"), with_python=True)
    if inspect_image(docker, TOOLS) is None:
        dockerfile = f"FROM {BASE}\nCOPY pages.py read.py /\nCOPY pages.py /srv/page\n"
        context = pack({"Dockerfile": dockerfile, "pages.py": PAGES, "read.py": READ})
        build_image(docker, [context], tag=TOOLS)
    bench.machine["DOCKER_HOST"] = docker.address.text
    bench.executor = DockerExecutor(os.environ, image=client_image)
    bench.docker = DockerNeeds(images=[TOOLS])
    return bench


def settle(folder: Path) -> dict[str, str]:
    """Return variables by which jobs run in containers, with an image for their daemons."""
    settings = folder / "config.toml"
    settings.write_text(
        f'[places]\n"*" = "docker://{CLIENT_IMAGE}"\n[docker]\nimages = ["{TOOLS}"]\n'
    )
    return {"WINDLASS_CONFIG": str(settings)}


class Traces:
    """What a job has in the daemon of the machine, seen while it runs; `left` of it later."""

    def __init__(self, docker: Engine, key: str = "build") -> None:
        self._docker = docker
        self._label = f"{JOB}={key}"
        self.containers: set[str] = set()
        self.volumes: set[str] = set()

    def look(self, _: object = None) -> None:
        """Look for the containers of the job, and for the volumes that these have."""
        if self.volumes:
            return
        for found in list_containers(self._docker, [self._label]):
            self.containers.add(str(found["Id"]))
            mounts = [it for it in found["Mounts"] if it["Type"] == "volume"]
            self.volumes.update(str(it["Name"]) for it in mounts)

    def left(self) -> set[str]:
        """Return the containers and volumes that are still there."""
        assert len(self.containers) >= 2
        assert self.volumes
        containers = {str(it["Id"]) for it in list_containers(self._docker)}
        volumes = {str(it["Name"]) for it in list_volumes(self._docker)}
        return (self.containers & containers) | (self.volumes & volumes)


@pytest.fixture
def traces(docker_bench: Bench, docker: Engine) -> Traces:
    """What the job of a bench leaves."""
    docker_bench.key = f"build-{os.getpid()}"
    traces = Traces(docker, docker_bench.key)
    docker_bench.on_event = traces.look
    return traces


@pytest.mark.requirement("A12")
def test_a_job_builds_and_runs(docker_bench: Bench, traces: Traces) -> None:
    """Images are built by BuildKit, the classic builder and buildx; what is published is local."""
    finished = docker_bench.run(f"""
- run: |
    docker version --format '{{{{.Server.Os}}}}'
    mkdir app && cd app && echo 'of the workspace' > page
    printf 'FROM {TOOLS}\\nCOPY page /srv/page\\nRUN echo built >> /srv/page\\n' > Dockerfile
    docker build -q -t one . && docker run --rm one cat /srv/page
    DOCKER_BUILDKIT=0 docker build -q -t two . && docker run --rm two cat /srv/page
    docker buildx build -q --load -t three . && docker run --rm three cat /srv/page
- run: |
    docker run --rm -v "$PWD:/x" {TOOLS} sh -c 'cat /x/app/page; echo written > /x/back'
    cat back
    echo shared > /tmp/here
    docker run --rm -v /tmp:/t -v "$RUNNER_TEMP:/r" {TOOLS} sh -c 'cat /t/here; echo in > /r/temp'
    cat "$RUNNER_TEMP/temp"
- run: |
    docker run -d -p 8080:80 one {SERVER}
    curl --silent --retry 20 --retry-all-errors --retry-delay 1 http://localhost:8080/
- run: docker run --rm -v /var/run/docker.sock:/s {TOOLS} ls -l /s && ls -l /var/run/docker.sock
""")

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert output.count("of the workspace\nbuilt\n") == 4
    for word in ("written", "shared", "in"):
        assert f"\n{word}\n" in output
    assert "The job gets a Docker daemon of its own: `docker version" in output
    assert traces.left() == set()


def test_nothing_of_the_machine_is_seen(
    docker_bench: Bench, docker: Engine, traces: Traces
) -> None:
    """A job sees neither images nor containers of the machine; its own are not seen outside."""
    finished = docker_bench.run(f"""
- run: docker images --format '<{{{{.Repository}}}}>'; docker ps -aq | wc -l
- run: docker run -d --name mine {TOOLS} sh -c 'read x' && docker tag {TOOLS} only-in-the-job
""")

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert [line for line in output.splitlines() if line.startswith("<")] == [
        f"<{TOOLS.partition(':')[0]}>"
    ]
    assert "\n0\n" in output
    assert inspect_image(docker, "only-in-the-job") is None
    assert traces.left() == set()


@pytest.mark.requirement("E15")
def test_compose(docker_bench: Bench, traces: Traces) -> None:
    """Two services of a compose file, one built, reach each other by name and the job by port."""
    finished = docker_bench.run(f"""
- run: |
    mkdir -p site && echo 'from the site' > site/page
    printf 'FROM {TOOLS}\\nCOPY site /srv\\n' > Dockerfile
    cat > compose.yaml <<'EOF'
    services:
      site:
        build: .
        command: {SERVER}
        ports: ['8081:80']
      reader:
        image: {TOOLS}
        depends_on: [site]
        command: sh -c 'until python /read.py site 80; do :; done'
    EOF
    docker compose up --detach --build --quiet-pull
    docker compose wait reader
    docker compose logs reader
    curl --silent --fail http://localhost:8081/
    docker compose down --volumes
    docker ps -aq | wc -l
""")

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert "read b'from the site'" in output
    assert "\nfrom the site\n" in output
    assert output.rstrip().endswith("0")
    assert traces.left() == set()


def test_login_and_logout(docker_bench: Bench, tmp_path: Path) -> None:
    """A job signs in to a registry with a HOME of its own, pushes, pulls, and signs out."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(program, tools / "registry")
    write_registry_settings(tools, "127.0.0.1:5000", seen="/__t")
    docker_bench.secrets["PASSWORD"] = PASSWORD

    finished = docker_bench.run(f"""
- run: |
    /__t/registry serve /__t/config.yml > /tmp/registry.log 2>&1 &
    curl --silent --output /dev/null --retry 20 --retry-all-errors --retry-delay 1 localhost:5000
    docker tag {TOOLS} 127.0.0.1:5000/octo/tools:1
    docker push -q 127.0.0.1:5000/octo/tools:1 || echo refused
    echo "$PASSWORD" | docker login -u {USERNAME} --password-stdin 127.0.0.1:5000
    docker push -q 127.0.0.1:5000/octo/tools:1
    docker rmi 127.0.0.1:5000/octo/tools:1 {TOOLS}
    docker run --rm 127.0.0.1:5000/octo/tools:1 sh -c 'echo pulled'
    grep -c auth "$HOME/.docker/config.json"
    docker logout 127.0.0.1:5000
    grep -c 127.0.0.1 "$HOME/.docker/config.json" || echo "out of $HOME"
  env:
    PASSWORD: ${{{{ secrets.PASSWORD }}}}
""")

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    for line in ("refused", "Login Succeeded", "pulled", "out of /github/home"):
        assert line in output
    assert PASSWORD not in output


def test_a_service_is_on_localhost(docker_bench: Bench, traces: Traces) -> None:
    """Beside a daemon of the job's own, services are at the ports that they publish."""
    job = f"""\
    services:
      site:
        image: {TOOLS}
        ports: [80]
        entrypoint: python
        command: /pages.py /srv/page
"""
    finished = docker_bench.run(
        f"""
- run: docker version --format 'ready'
- run: >-
    curl --silent --fail --output /dev/null --retry 20 --retry-all-errors --retry-delay 1
    --write-out 'said %{{http_code}}' http://localhost:${{{{ job.services.site.ports['80'] }}}}/
- run: docker run --rm --network host {TOOLS} python /read.py localhost "$PORT"
  env:
    PORT: ${{{{ job.services.site.ports['80'] }}}}
""",
        job=job,
    )

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert "said 200" in output
    assert "read b'" in output
    assert traces.left() == set()


def test_a_job_with_a_container(docker_bench: Bench, traces: Traces) -> None:
    """A job with `container:` gets one too, in place of the socket that it mounts on GitHub."""
    socket = "/var/run/docker.sock"
    job = f"    container: {{image: {CLIENT_IMAGE}, volumes: ['{socket}:{socket}']}}\n"
    finished = docker_bench.run(
        f"- run: docker ps -aq | wc -l && docker run --rm -v /__w:/w {TOOLS} ls /w", job=job
    )

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert "\n0\n" in output
    assert "_temp" in output
    assert traces.left() == set()


def test_an_action_that_turns_out_to_need_it(docker_bench: Bench, traces: Traces) -> None:
    """The daemon is started when an action of the workspace is read that calls Docker."""
    finished = docker_bench.run(f"""
- run: |
    mkdir -p deep && test ! -e /var/run/docker.sock
    cat > deep/action.yml <<'EOF'
    name: Deep
    runs:
      using: composite
      steps:
        - run: docker run --rm -v "$PWD:/x" {TOOLS} ls /x
          shell: bash
    EOF
- uses: ./deep
""")

    output = docker_bench.output()
    assert finished.result is Result.SUCCESS, output
    assert "a Docker daemon of its own: `docker run" in output
    assert "\ndeep\n" in output
    assert traces.left() == set()


def test_nothing_is_left_of_a_failed_job(docker_bench: Bench, traces: Traces) -> None:
    """A job that fails with containers running leaves no container and no volume."""

    finished = docker_bench.run(f"- run: docker run -d -v data:/d {TOOLS} sh -c 'read x' && exit 3")

    assert finished.result is Result.FAILURE
    assert traces.left() == set()


def test_nothing_is_left_of_a_cancelled_job(docker_bench: Bench, traces: Traces) -> None:
    """A cancelled job takes its daemon along."""
    seen = threading.Event()

    def watch(event: object) -> None:
        traces.look()
        if "now cancel" in str(event) and not seen.is_set():
            seen.set()
            docker_bench.cancellation.request("enough")

    docker_bench.on_event = watch
    finished = docker_bench.run(
        f"- run: docker run -d {TOOLS} sh -c 'read x' && echo now cancel && sleep 300"
    )

    assert finished.result is Result.CANCELLED
    assert traces.left() == set()


def test_refused_in_the_sandbox(bench: Bench) -> None:
    """A job that needs Docker does not begin there, unless its user says that it does without."""
    need_sandbox()
    bench.executor = SandboxExecutor()
    bench.docker = DockerNeeds()
    steps = "- run: echo begun\n- run: docker ps || echo none"

    with pytest.raises(ExecutorError, match=r"needs Docker \(`docker ps") as told:
        bench.run(steps)
    assert "-P LABEL=docker" in str(told.value.hint)
    assert "begun" not in bench.output()

    bench.docker = DockerNeeds(wanted=False)
    assert bench.run(steps).result is Result.SUCCESS
    assert "begun" in bench.output()


CHECKED_OUT = """
on: push
jobs:
  early:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./look
      - run: docker ps -q
  late:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./look
"""
LOOK = f"""
name: Look
runs:
  using: composite
  steps:
    - run: docker run --rm -v "$PWD:/x" {TOOLS} sh -c 'cat /x/file; echo back > /x/made'; cat made
      shell: bash
"""


@pytest.mark.usefixtures("docker_bench")
def test_what_is_checked_out_is_one_tree(docker: Engine, tmp_path: Path) -> None:
    """A workspace mounted for the job is the same in its daemon, started before or after."""
    repository = DockerRepository(tmp_path, docker.address.text)
    repository.workflow(CHECKED_OUT)
    repository.write("look/action.yml", LOOK)
    repository.write("file", "of the repository\n")
    repository.commit()

    done = repository.windlass("run", variables=settle(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    for job in ("early", "late "):
        assert f"{job} │     of the repository\n" in done.stdout
        assert f"{job} │     back\n" in done.stdout


KEY = f"long-{os.getpid()}"
WORKFLOW = f"""
on: push
jobs:
  {KEY}:
    runs-on: ubuntu-latest
    steps:
      - run: docker run -d {TOOLS} sh -c 'read x'; echo it runs; sleep 300
"""


@pytest.mark.usefixtures("docker_bench")
def test_nothing_is_left_of_a_killed_windlass(docker: Engine, tmp_path: Path) -> None:
    """After kill -9 of Windlass its supervisor, or else the next command, removes the daemon."""
    repository = DockerRepository(tmp_path, docker.address.text)
    repository.workflow(WORKFLOW)
    repository.commit()
    traces = Traces(docker, KEY)
    with subprocess.Popen(
        [*WINDLASS, "run"],
        cwd=repository.path,
        env=repository.environment(settle(tmp_path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as running:
        read_until(running, b"it runs")
        traces.look()
        running.send_signal(signal.SIGKILL)

    def is_swept() -> bool:
        sweep(docker)
        return not traces.left()

    assert wait_until(is_swept), f"left are {traces.left()}"
