"""Jobs in containers with a real daemon: what they find there, how they end, what goes wrong."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository
from tests.e2e.repositories import wait_until_gone
from tests.images import make_tools_image, pack
from tests.integration.jobs.job_records import LAST_WORDS, find_supervisor, read_log, wait_for
from tests.waiting import wait_until

from windlass.docker.containers import list_containers
from windlass.docker.images import build_image, import_image, remove_image
from windlass.errors import DockerError, ExecutorError
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.labels import JOB
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.plan.containers import Container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from windlass.docker.engine import Engine
    from windlass.jobs.executors.interface import Session
    from windlass.jobs.folders import JobFolders

IMAGE = "windlass-test/executor:1"
PROGRAMS = (
    *("sh", "bash", "cat", "env", "id", "ls", "perl", "seq", "setsid", "sleep", "sort", "stat"),
    *("test", "touch", "uname"),
)
KEY = f"docker-executor-test-{os.getpid()}"
"""Of this worker: it counts and removes the containers that have it."""

PROGRAM = """
import os, sys
from pathlib import Path
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.folders import JobFolders
from windlass.jobs.log import StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.stores.logs import JobLogWriter
record, own, script, image, key = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
folders = JobFolders(own, "boat", own / "tools")
folders.make()
masker = Masker(["hunter2-and-more"])
writer = JobLogWriter(record / "log")
session = DockerExecutor(os.environ, image=image).open(
    JobRequest(key=key, record=record, folders=folders)
)
masker.listen(session.hide)
for number in range(3):
    step = f"step{number}"
    process = session.spawn(
        ["/bin/sh", "-c", script], variables={"PATH": "/bin"}, folder="/", step=step
    )
    log = StepLog(masker, lambda _: None, writer=writer, step=step)
    read_to_end(process, log, lambda _: None, lambda _: False)
session.close()
writer.close()
"""
COUNT = 'i=0; while [ $i -lt 4000 ]; do i=$((i + 1)); echo "line $i hunter2-and-more"; done'


@pytest.fixture(scope="module")
def engine(docker: Engine) -> Engine:
    make_tools_image(docker, IMAGE, PROGRAMS)
    return docker


@pytest.fixture(autouse=True)
def _nothing_is_left(engine: Engine) -> Iterator[None]:
    yield
    assert wait_until(lambda: not list_containers(engine, [f"{JOB}={KEY}"])), "one is left"


@pytest.fixture
def session(engine: Engine, folders: JobFolders) -> Iterator[Session]:
    with contextlib.closing(start(folders)) as session:
        yield session


def start(folders: JobFolders, image: str = IMAGE, container: Container | None = None) -> Session:
    request = JobRequest(key=KEY, folders=folders, container=container)
    return DockerExecutor(os.environ, image=image).open(request)


def run(session: Session, script: str, **variables: str) -> tuple[int, str]:
    """Return the exit code of a script, and what it printed."""
    process = session.spawn(
        ["/bin/sh", "-c", script], variables={"PATH": "/bin", **variables}, folder="/__w"
    )
    text = b""
    while block := process.read():
        text += block
    return process.wait(), text.decode()


class TestPlace:
    """What a job finds in its container."""

    @pytest.mark.requirement("A11")
    def test_folders_are_those_of_github(self, session: Session, folders: JobFolders) -> None:
        """Paths are those of GitHub's containers; what is written there is found outside."""
        inside = session.folders
        assert inside is not None
        assert [str(inside.workspace), str(inside.temp), str(inside.home), str(inside.tools)] == [
            "/__w/boat/boat",
            "/__w/_temp",
            "/github/home",
            "/__t",
        ]
        assert str(inside.event_file) == "/github/workflow/event.json"
        folders.event_file.write_text("{}")

        code, text = run(session, "cat /github/workflow/event.json; touch /github/home/x /__w/y")

        assert (code, text) == (0, "{}")
        assert session.see(inside.home / "x") == folders.home / "x"
        assert session.see(inside.home / "x").exists()
        assert (folders.root / "y").exists()

    @pytest.mark.parametrize("name", ["INPUT_NODE-VERSION", "UID", "a.b", "é"])
    def test_names_that_no_shell_exports(self, session: Session, name: str) -> None:
        """Variables of any name reach a program, with any value."""
        value = 'it\'s "x"\n$y `z` \\'

        process = session.spawn(
            ["/bin/env"], variables={"PATH": "/bin", name: value}, folder="/__w"
        )
        text = b""
        while block := process.read():
            text += block

        assert process.wait() == 0
        assert text.decode() in (
            f"PATH=/bin\n{name}={value}\n",
            f"{name}={value}\nPATH=/bin\n",
        )

    def test_variables_are_in_no_argument_and_no_file(
        self, session: Session, folders: JobFolders
    ) -> None:
        """A value is neither in the arguments of a process nor in a file of the job."""
        secret = "geheim-und-lang"
        script = "cat /proc/*/cmdline; cat /__w/_shell/*.js; ls /__w/_shell"
        code, text = run(session, script, TOKEN=secret, **{"INPUT_A-B": secret})

        assert code == 0
        assert secret not in text
        assert [path.name for path in (folders.root / "_shell").iterdir() if path.is_file()] == [
            "variables.js"
        ]

    def test_long_values(self, session: Session) -> None:
        """As much as Linux takes is handed on; more is refused before anything runs."""
        many = {f"V{number}": "x" * 100_000 for number in range(10)}
        assert run(session, 'echo "${#V9}"', **many) == (0, "100000\n")
        with pytest.raises(ExecutorError, match="Argument list too long"):
            run(session, ":", V="x" * 131_072)

    def test_many_steps_at_once(self, session: Session) -> None:
        """Steps run beside each other; a signal to one reaches no other."""
        slow = session.spawn(["/bin/sleep", "1000"], variables={"PATH": "/bin"}, folder="/")
        found: list[tuple[int, str]] = []
        threads = [
            threading.Thread(target=lambda it=number: found.append(run(session, f"exit {it}")))
            for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        slow.interrupt()

        assert sorted(code for code, _ in found) == list(range(6))
        assert slow.wait() == 128 + signal.SIGINT


@pytest.mark.parametrize("shell", ["bash", "busybox"])
def test_other_shells(engine: Engine, folders: JobFolders, shell: str) -> None:
    """Whatever `/bin/sh` is: steps end by signals, side by side, with their codes and output."""
    programs = (*PROGRAMS, shell) if shutil.which(shell) else pytest.skip(f"no {shell} here")
    name = f"windlass-test/shell-{shell}-{os.getpid()}"
    make_tools_image(engine, f"{name}-base", dict.fromkeys(programs))
    build_image(engine, [pack_context(f"{name}-base", shell)], tag=name)
    try:
        with contextlib.closing(start(folders, name)) as session:
            slow = session.spawn(["/bin/sleep", "1000"], variables={"PATH": "/bin"}, folder="/")
            assert run(session, 'echo "$X"; exit 7', X="a'b\n") == (7, "a'b\n\n")
            slow.interrupt()
            assert (slow.read(), slow.wait()) == (b"", 128 + signal.SIGINT)
            assert run(session, "kill -KILL $$") == (128 + signal.SIGKILL, "")
    finally:
        remove_image(engine, name, force=True)
        remove_image(engine, f"{name}-base", force=True)


class TestDeath:
    """What becomes of a container whose Windlass is killed."""

    @pytest.fixture
    def record(self, tmp_path: Path) -> Path:
        folder = tmp_path / "runs" / "17" / "1" / "jobs" / "1"
        folder.mkdir(parents=True)
        return folder

    def begin(self, record: Path, tmp_path: Path, script: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", PROGRAM, record, tmp_path / "own", script, IMAGE, KEY]
        return subprocess.Popen(words, cwd="/")

    @pytest.mark.requirement("A11")
    @pytest.mark.parametrize("seed", range(int(os.environ.get("WINDLASS_KILLS", "3"))))
    def test_windlass_is_killed(self, record: Path, tmp_path: Path, seed: int) -> None:
        """The container ends, and every line is in the log once, in order and masked."""
        chance = random.Random(seed)
        windlass = self.begin(record, tmp_path, COUNT)
        wait_for(record / "log", chance.randrange(1, 60_000))
        supervisor = find_supervisor(record)
        windlass.kill()
        windlass.wait()
        wait_until_gone({supervisor})

        lines = read_log(record)
        for step in ("step0", "step1", "step2"):
            texts = [text for key, text in lines if key == step and text != LAST_WORDS]
            assert texts == [f"line {number} ***" for number in range(1, len(texts) + 1)]
        assert lines[-1][1] in (LAST_WORDS, "line 4000 ***")

    def test_all_are_killed(self, engine: Engine, record: Path, tmp_path: Path) -> None:
        """Windlass and the supervisor at once: nobody holds the shell's input, and it ends."""
        windlass = self.begin(record, tmp_path, "trap '' INT TERM HUP; echo up; sleep 1000")
        wait_for(record / "log.index")
        supervisor = find_supervisor(record)
        assert len(list_containers(engine, [f"{JOB}={KEY}"], running_only=True)) == 1
        windlass.send_signal(signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        windlass.kill()
        windlass.wait()


class TestBadInput:
    """What cannot be had fails with what was found and what to do."""

    def test_no_daemon(self, folders: JobFolders) -> None:
        executor = DockerExecutor({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, image=IMAGE)
        with pytest.raises(DockerError, match="cannot be reached at unix:///nowhere") as error:
            executor.open(JobRequest(key=KEY, folders=folders))
        assert error.value.hint is not None
        assert "systemctl start docker" in error.value.hint

    def test_no_image(self, folders: JobFolders) -> None:
        """Of the command line it is an error of the call, of the workflow a failure of the job."""
        image = "127.0.0.1:1/no/such:image"
        with pytest.raises(ExecutorError, match=r"The image '127.0.0.1:1/no/such:image' cannot"):
            start(folders, image)
        with pytest.raises(ContainerFault, match="connection refused"):
            start(folders, container=Container(image=image))

    def test_image_of_another_architecture(self, engine: Engine, folders: JobFolders) -> None:
        """Its shell cannot run, which is told before any step."""
        name = f"windlass-test/bad:{os.getpid()}"
        content = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xf3" + bytes(60)
        import_image(engine, [pack({"bin/sh": content})], name)
        try:
            with pytest.raises(ExecutorError, match="exec format") as error:
                start(folders, name)
            assert error.value.hint
        finally:
            remove_image(engine, name, force=True)

    def test_shell_that_ends_at_once(self, engine: Engine, folders: JobFolders) -> None:
        """The exit code and the last words of the container are told."""
        name = f"windlass-test/ends-{os.getpid()}"
        make_tools_image(engine, f"{name}-base", ("cat",))
        build_image(engine, [pack_context(f"{name}-base", "cat")], tag=name)
        try:
            with pytest.raises(ExecutorError, match="ended at once with the exit code 1: /bin/sh"):
                start(folders, name)
        finally:
            remove_image(engine, name, force=True)
            remove_image(engine, f"{name}-base", force=True)

    def test_daemon_that_goes_away(
        self, engine: Engine, folders: JobFolders, socket_folder: Path
    ) -> None:
        """Where the way to the daemon is cut, steps fail and say so, and nothing goes on."""
        with Relay(socket_folder / "relay", engine.address.socket) as relay:
            executor = DockerExecutor({"DOCKER_HOST": relay.address}, image=IMAGE)
            with contextlib.closing(executor.open(JobRequest(key=KEY, folders=folders))) as session:
                process = session.spawn(
                    ["/bin/sh", "-c", "echo up; sleep 1000"],
                    variables={"PATH": "/bin"},
                    folder="/",
                )
                assert process.read() == b"up\n"
                relay.cut()

                assert process.read() == b""
                with pytest.raises(ExecutorError, match="The container of this job has ended"):
                    process.wait()
                with pytest.raises(ExecutorError, match="The container of this job has ended"):
                    run(session, ":")
            with pytest.raises(DockerError, match="cannot be reached"):
                executor.open(JobRequest(key=KEY, folders=folders))

    def test_container_that_is_removed(self, engine: Engine, session: Session) -> None:
        """A step whose container somebody removes ends, and says so, and so does each later one."""
        process = session.spawn(
            ["/bin/sh", "-c", "echo up; sleep 1000"], variables={"PATH": "/bin"}, folder="/"
        )
        assert process.read() == b"up\n"
        (found,) = list_containers(engine, [f"{JOB}={KEY}"])
        engine.ask("DELETE", f"/containers/{found['Id']}", query={"force": True})

        assert process.read() == b""
        with pytest.raises(ExecutorError, match="The container of this job has ended"):
            process.wait()
        with pytest.raises(ExecutorError, match="The container of this job has ended"):
            run(session, ":")


@pytest.mark.requirement("A11")
@pytest.mark.requirement("T01")
def test_workflow_with_a_container(engine: Engine, tmp_path: Path) -> None:
    """`container:` in a workflow and `-P LABEL=docker://IMAGE` run by `windlass run`."""
    repository = DockerRepository(tmp_path, engine.address.text)
    repository.write("file", "file of the boat\n")
    repository.workflow(WORKFLOW.replace("IMAGE", IMAGE))
    repository.commit()

    done = repository.windlass("run", "-P", f"inside=docker://{IMAGE}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "inside is Linux" in done.stdout
    assert "file of the boat" in done.stdout
    assert "bar 1 /__w/repository/repository" in done.stdout
    assert "needs says 1" in done.stdout


WORKFLOW = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    container: {image: IMAGE, env: {FOO: bar}}
    outputs: {x: '${{ steps.one.outputs.x }}'}
    steps:
      - uses: actions/checkout@v4
      - run: cat file
      - {id: one, run: 'echo x=1 >> "$GITHUB_OUTPUT"; echo Y=1 >> "$GITHUB_ENV"'}
      - run: echo "$FOO $Y $GITHUB_WORKSPACE"; test -s "$GITHUB_EVENT_PATH"
      - run: test -n "${{ hashFiles('file') }}" && test -n "${{ job.container.id }}"
  after:
    needs: build
    runs-on: ubuntu-latest
    container: '${{ vars.NOTHING }}'
    steps:
      - run: echo "needs says ${{ needs.build.outputs.x }}"
  inside:
    runs-on: inside
    steps:
      - run: echo "inside is $(uname)"
"""


class Relay:
    """A way to the daemon that can be cut."""

    def __init__(self, path: Path, target: str) -> None:
        self.address = f"unix://{path}"
        self._path = path
        self._target = target
        self._links: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()

    def __enter__(self) -> Relay:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for link in self._links:
            link.close()

    def cut(self) -> None:
        """Hang up, and listen no more."""
        self._path.unlink(missing_ok=True)
        for link in (self._listener, *self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with self._listener, contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                self._links += [near, far]
                self._run(self._copy, near, far)
                self._run(self._copy, far, near)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                target.sendall(block)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _run(self, action: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=action, args=arguments)
        self._threads.append(thread)
        thread.start()


def pack_context(base: str, shell: str) -> bytes:
    """Return the context of an image whose `/bin/sh` is another program of it."""
    return pack({"Dockerfile": f"FROM {base}\nCOPY bin/ /bin/\n"}, links={"bin/sh": shell})
