"""The law of every executor (`windlass.jobs.executors.interface`), for each adapter."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import signal
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
from tests.images import make_tools_image
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.docker.addresses import find_address
from windlass.docker.containers import inspect_container
from windlass.docker.engine import Engine
from windlass.errors import ExecutorError
from windlass.jobs.executors.docker import DockerExecutor
from windlass.jobs.executors.docker_layout import WORK
from windlass.jobs.executors.docker_session import DockerSession
from windlass.jobs.executors.host import HostExecutor, HostProcess, HostSession
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.executors.sandbox import SandboxExecutor, SandboxSession
from windlass.jobs.folders import JobFolders
from windlass.testing.executor import PREFIX, DummyExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.jobs.executors.interface import Executor, Process, Session

SHELL = Path("/bin/sh").resolve().name
"""How the shell of this machine is called by its own name: an image may have it as no `sh`."""

PROGRAMS = (
    *("sh", "cat", "cut", "env", "head", "mkfifo", "seq", "setsid", "sleep", "touch", "yes"),
    SHELL,
)


NOT_IN_CONTAINERS = {
    "test_session_without_its_supervisor": (
        "the processes of a container are not the supervisor's; tests/integration/jobs/"
        "test_docker_executor.py has what becomes of them"
    ),
}
"""What cannot be as on the host, and why."""


OWN_CONTAINER = {
    "test_processes_are_numbered",
    "test_child_that_keeps_the_output",
    "test_daemon_is_found",
    "test_nothing_escapes",
    "test_processes_that_go_on_starting_others",
}
"""What ends its session, or counts its processes; all else shares one container, for speed."""


def _name(request: pytest.FixtureRequest) -> str:
    return str(request.function.__name__)


class Adapter(Protocol):
    """How to make one executor's processes do what a test needs."""

    executor: Executor

    def spawn(
        self,
        session: Session,
        folder: Path,
        *,
        prints: str = "",
        exits: int = 0,
        hangs: bool = False,
        ignores: str = "",
    ) -> Process: ...


class HostAdapter:
    """Real processes: a Python program does what is asked for."""

    def __init__(self) -> None:
        self.executor: Executor = HostExecutor()

    def spawn(
        self,
        session: Session,
        folder: Path,
        *,
        prints: str = "",
        exits: int = 0,
        hangs: bool = False,
        ignores: str = "",
    ) -> Process:
        program = (
            "import os, signal, sys\n"
            "for name in os.environ['IGNORES'].split():\n"
            "    signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
            "if 'SIGINT' not in os.environ['IGNORES']:\n"
            "    signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
            "os.write(1, os.environb[b'PRINTS'])\n"
            "while os.environ['HANGS']: signal.pause()\n"
            f"sys.exit({exits})\n"
        )
        variables = {"PRINTS": prints, "HANGS": "x" if hangs else "", "IGNORES": ignores}
        return session.spawn(
            [sys.executable, "-S", "-c", program], variables=variables, folder=str(folder)
        )


class SandboxAdapter(HostAdapter):
    """The same in a namespace of the job's own."""

    def __init__(self) -> None:
        self.executor = make_sandbox()


def make_sandbox() -> SandboxExecutor:
    """Return the executor, or skip the test where this machine cannot make a sandbox."""
    need_sandbox()
    return SandboxExecutor()


class ContainerSession:
    """A session whose job's folder is to be named as it is outside: the tests know no other."""

    def __init__(self, session: DockerSession, own: Path, *, has_shell: bool) -> None:
        self._session = session
        self.own = own
        self._has_shell = has_shell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def find_first(self) -> str:
        """Return the id of the container's first process on this machine."""
        container = self._session.facts["container"]
        assert isinstance(container, dict)
        found = inspect_container(Engine(find_address(os.environ)), str(container["id"]))
        return str(found["State"]["Pid"])

    def spawn(self, arguments: list[str], *, folder: str, **options: Any) -> Process:
        """Start a program in the folder that the container has."""
        inside = folder.replace(str(self.own), WORK, 1)
        if not self._has_shell:
            arguments = [_SH.sub(f"/bin/{SHELL}", argument) for argument in arguments]
        return self._session.spawn(arguments, folder=inside, **options)


_SH = re.compile(r"^/bin/sh$|(/bin/)?\bsh(?= -c )")


@functools.cache
def provide_image(engine: Engine, image: str, without: str) -> None:
    """Make an image, once."""
    make_tools_image(engine, image, PROGRAMS, without=without)


class ContainerExecutor:
    """Jobs in containers of a small image."""

    image = "windlass-test/contract:1"
    has_shell = True

    def __init__(self, engine: Engine) -> None:
        provide_image(engine, self.image, "" if self.has_shell else "sh")
        self._executor = DockerExecutor({"DOCKER_HOST": engine.address.text}, image=self.image)
        self.name = self._executor.name

    def open(self, request: JobRequest) -> Session:
        session = self._executor.open(request)
        assert isinstance(session, DockerSession)
        assert request.folders is not None
        own = request.folders.root
        return cast("Session", ContainerSession(session, own, has_shell=self.has_shell))


class BareExecutor(ContainerExecutor):
    """The same image, in which no shell is found: steps that start one call it by its own name."""

    image = "windlass-test/contract-bare:1"
    has_shell = False


class DockerAdapter:
    """Processes of a container, where a shell does what is asked for."""

    kind = ContainerExecutor

    def __init__(self, engine: Engine) -> None:
        self.executor: Executor = self.kind(engine)

    def spawn(
        self,
        session: Session,
        folder: Path,
        *,
        prints: str = "",
        exits: int = 0,
        hangs: bool = False,
        ignores: str = "",
    ) -> Process:
        ignored = " ".join(name.removeprefix("SIG") for name in ignores.split())
        trap = f"trap '' {ignored}; " if ignored else ""
        last = "exec sleep 1000" if hangs else f"exit {exits}"
        program = f'{trap}printf %s "$PRINTS"; {last}'
        variables = {"PATH": "/bin", "PRINTS": prints}
        return session.spawn(["/bin/sh", "-c", program], variables=variables, folder=str(folder))


class BareAdapter(DockerAdapter):
    """The same without a shell."""

    kind = BareExecutor


def ask_for(folder: Path, record: Path | None = None) -> JobRequest:
    """Return the request for the place of a job whose own folder this is."""
    folders = JobFolders(folder, "boat", folder / "tools")
    folders.make()
    return JobRequest(key="job", record=record, folders=folders)


class DummyAdapter:
    """The executor that is shipped for tests."""

    def __init__(self) -> None:
        self.executor = DummyExecutor()

    def spawn(
        self,
        session: Session,
        folder: Path,
        *,
        prints: str = "",
        exits: int = 0,
        hangs: bool = False,
        ignores: str = "",
    ) -> Process:
        variables = {
            f"{PREFIX}OUTPUT": prints,
            f"{PREFIX}EXIT_CODE": str(exits),
            f"{PREFIX}HANGS": str(hangs).lower(),
            f"{PREFIX}IGNORES": ignores,
        }
        return session.spawn(["/bin/program"], variables=variables, folder=str(folder))


@pytest.fixture(
    params=[HostAdapter, SandboxAdapter, DockerAdapter, BareAdapter, DummyAdapter],
    ids=["host", "sandbox", "docker", "docker-without-shell", "dummy"],
)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return _make(request)


def _make(request: pytest.FixtureRequest) -> Any:
    if request.param in (DockerAdapter, BareAdapter, *CONTAINERS):
        return request.param(request.getfixturevalue("docker"))
    return request.param()


CONTAINERS = (ContainerExecutor, BareExecutor)


@pytest.fixture(scope="module")
def containers(
    docker: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[type[ContainerExecutor]], Session]]:
    """Containers, one of a kind, in which the folders of all tests are seen."""
    made: dict[type[ContainerExecutor], Session] = {}

    def find(kind: type[ContainerExecutor]) -> Session:
        if kind not in made:
            made[kind] = kind(docker).open(ask_for(tmp_path_factory.mktemp("job")))
        return made[kind]

    yield find
    for session in made.values():
        session.close()


def _find_shared(request: pytest.FixtureRequest) -> Any:
    """Return the session of the container that this test shares with others, if it does."""
    params = getattr(request.node, "callspec").params  # noqa: B009 - only parametrized items have it
    kind = params.get("host", params.get("adapter"))
    kind = getattr(kind, "kind", kind)
    if kind not in CONTAINERS or _name(request) in OWN_CONTAINER:
        return None
    return request.getfixturevalue("containers")(kind)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that the processes of the test can see."""
    shared = _find_shared(request)
    if shared is None:
        return tmp_path
    folder = shared.own / tmp_path.name
    folder.mkdir()
    return Path(folder)


@pytest.fixture
def session(request: pytest.FixtureRequest, adapter: Adapter, tmp_path: Path) -> Iterator[Session]:
    if (shared := _find_shared(request)) is not None:
        yield shared
        return
    session = adapter.executor.open(ask_for(tmp_path))
    yield session
    session.close()


def read_all(process: Process) -> bytes:
    blocks = []
    while block := process.read():
        blocks.append(block)
    return b"".join(blocks)


def test_output_then_exit_code(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """Output comes in blocks, then b"" once and for all, then the exit code."""
    process = adapter.spawn(session, tmp_path, prints="hello\n", exits=3)

    assert read_all(process) == b"hello\n"
    assert process.read() == b""
    assert process.wait() == 3
    assert process.wait() == 3


def test_success_without_output(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """A process that prints nothing ends all the same."""
    process = adapter.spawn(session, tmp_path)

    assert read_all(process) == b""
    assert process.wait() == 0


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("interrupt", signal.SIGINT),
        ("terminate", signal.SIGTERM),
        ("kill", signal.SIGKILL),
    ],
)
def test_signal(
    adapter: Adapter, session: Session, tmp_path: Path, word: str, number: signal.Signals
) -> None:
    """A process that a signal ended has the exit code 128 + N; signals come from any thread."""
    process = adapter.spawn(session, tmp_path, prints="ready\n", hangs=True)
    assert process.read() == b"ready\n"

    thread = threading.Thread(target=getattr(process, word))
    thread.start()

    assert read_all(process) == b""
    assert process.wait() == 128 + number
    thread.join()


def test_ignored_signals(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """SIGINT and SIGTERM may be ignored, SIGKILL not."""
    process = adapter.spawn(
        session, tmp_path, prints="ready\n", hangs=True, ignores="SIGINT SIGTERM"
    )
    assert process.read() == b"ready\n"

    process.interrupt()
    process.terminate()
    process.kill()

    assert read_all(process) == b""
    assert process.wait() == 128 + signal.SIGKILL


def test_signals_after_the_end(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """A signal to a process that has ended does nothing."""
    process = adapter.spawn(session, tmp_path, exits=2)
    read_all(process)

    process.interrupt()
    process.kill()

    assert process.wait() == 2


def test_folder_that_is_not_there(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """A program is not started in a folder that does not exist; the session goes on."""
    with pytest.raises(ExecutorError):
        adapter.spawn(session, tmp_path / "nowhere")

    assert adapter.spawn(session, tmp_path, exits=1).wait() == 1


def test_close_ends_what_runs(adapter: Adapter, tmp_path: Path) -> None:
    """Closing a session kills what was left running."""
    session = adapter.executor.open(ask_for(tmp_path))
    process = adapter.spawn(session, tmp_path, prints="ready\n", hangs=True)
    assert process.read() == b"ready\n"

    reader = threading.Thread(target=process.wait)
    reader.start()
    process.kill()
    reader.join()
    session.close()


def test_find_program(session: Session) -> None:
    """A program is found by name on a search path; a full path is its own answer."""
    found = session.find_program("cat", search_path="/nowhere:/usr/bin:/bin")

    assert found is not None
    assert found.endswith("/cat")
    assert session.find_program(found, search_path="") == found


def test_processes_are_numbered(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """The processes of a job count from 1."""
    numbers = [adapter.spawn(session, tmp_path).number for _ in range(3)]

    assert numbers == [1, 2, 3]


def test_output_is_kept_until_it_is_released(adapter: Adapter, tmp_path: Path) -> None:
    """With a folder all is read as without one, and nothing is left of it."""
    folder = tmp_path / "log of the job"
    folder.mkdir()
    session = adapter.executor.open(ask_for(tmp_path, folder))
    session.hide(["secret"])
    process = adapter.spawn(session, tmp_path, prints="hello\n", exits=3)
    output = read_all(process)
    process.release(len(output))

    assert (output, process.wait()) == (b"hello\n", 3)
    session.close()
    assert list(folder.iterdir()) == []


def test_paths_are_seen(session: Session, tmp_path: Path) -> None:
    """A file of the job is where `see` says."""
    (tmp_path / "file").write_text("x")

    assert session.see(tmp_path / "file").read_text() == "x"


def test_overlay(adapter: Adapter, session: Session, tmp_path: Path) -> None:
    """An overlay is there for the job alone, or refused; nothing is mounted elsewhere."""
    lower, upper, work, target = (tmp_path / name for name in ("a:b", "c,d", "work", "t\\t"))
    for folder in (lower, upper, work, target):
        folder.mkdir()
    (lower / "below").write_text("x")

    if session.overlay(lower, upper, work, target):
        assert (session.see(target) / "below").read_text() == "x"
        assert adapter.spawn(session, target, exits=4).wait() == 4
        (session.see(target) / "above").write_text("y")
        assert (upper / "above").read_text() == "y"
    assert list(target.iterdir()) == []
    assert list(lower.iterdir()) == [lower / "below"]
    assert tmp_path.name not in Path("/proc/self/mounts").read_text()


class TestRealProcesses:
    """What only real processes can show."""

    @pytest.fixture(
        params=[HostExecutor, make_sandbox, ContainerExecutor, BareExecutor],
        ids=["host", "sandbox", "docker", "docker-without-shell"],
    )
    def host(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostSession]:
        if request.param in CONTAINERS and (why := NOT_IN_CONTAINERS.get(_name(request))):
            pytest.skip(why)
        if (shared := _find_shared(request)) is not None:
            yield shared
            return
        session = _make(request).open(ask_for(tmp_path))
        yield session
        session.close()

    def start(self, host: HostSession, folder: Path, script: str, **variables: str) -> Process:
        known = {"PATH": "/usr/bin:/bin", **variables}
        return host.spawn(["/bin/sh", "-c", script], variables=known, folder=str(folder))

    def test_streams_are_merged_in_order(self, host: HostSession, tmp_path: Path) -> None:
        """Standard output and error come as the kernel saw them."""
        process = self.start(host, tmp_path, "echo 1; echo 2 >&2; echo 3; echo 4 >&2")

        assert read_all(process) == b"1\n2\n3\n4\n"

    def test_exactly_these_variables(self, host: HostSession, tmp_path: Path) -> None:
        """A process has the variables it was given and no others."""
        process = host.spawn(["/bin/env"], variables={"A": "1"}, folder=str(tmp_path))

        assert read_all(process) == b"A=1\n"

    def test_no_standard_input(self, host: HostSession, tmp_path: Path) -> None:
        """Standard input is empty: a step that asks gets no answer, and does not wait."""
        assert read_all(self.start(host, tmp_path, "cat; echo end")) == b"end\n"

    def test_session_of_its_own(self, host: HostSession, tmp_path: Path) -> None:
        """A step leads a session and has no terminal."""
        process = self.start(
            host, tmp_path, "cut --delimiter=' ' --fields=1,6 /proc/$$/stat && ! : </dev/tty"
        )
        pid, sid = read_all(process).split()[:2]

        assert pid == sid

    def test_closed_output(self, host: HostSession, tmp_path: Path) -> None:
        """A process that closes its output goes on until it ends by itself."""
        process = self.start(host, tmp_path, "exec >&- 2>&-; read x; touch done; exit 7")

        assert read_all(process) == b""
        assert process.wait() == 7
        assert (tmp_path / "done").exists()

    def test_child_that_keeps_the_output(self, host: HostSession, tmp_path: Path) -> None:
        """A child left behind does not keep the step from ending; its late words are lost."""
        process = self.start(host, tmp_path, "sleep 1000 & echo $!; echo end")
        child, end = read_all(process).split()

        pid = outside(host, int(child))
        assert end == b"end"
        assert process.wait() == 0
        assert _is_alive(pid)
        host.close()
        assert not _is_alive(pid)

    def test_child_that_never_stops_printing(self, host: HostSession, tmp_path: Path) -> None:
        """Reading ends with the step although a child goes on printing."""
        process = self.start(host, tmp_path, "yes & echo end")
        output = read_all(process)

        assert b"end\n" in output
        assert process.wait() == 0

    def test_daemon_is_found(self, host: HostSession, tmp_path: Path) -> None:
        """A process that left the step's session is found by its variable and ended."""
        daemon_script = "echo $$ > pid; echo > go; exec sleep 1000"
        script = f"mkfifo go; setsid sh -c '{daemon_script}' >/dev/null 2>&1 & read x < go"
        process = self.start(host, tmp_path, script, RUNNER_TRACKING_ID=f"test_{uuid.uuid4()}")
        read_all(process)
        process.wait()
        daemon = outside(host, int((tmp_path / "pid").read_text()))

        assert _is_alive(daemon)
        host.close()
        assert not _is_alive(daemon)

    def test_nothing_escapes(self, host: HostSession, tmp_path: Path) -> None:
        """Neither a new session nor a cleared environment keeps a process from ending."""
        daemon = "echo $$ > pid; echo > go; exec /bin/sleep 1000"
        script = f"mkfifo go; setsid env -i /bin/sh -c '{daemon}' >/dev/null 2>&1 & read x < go"
        process = self.start(host, tmp_path, script)
        read_all(process)
        assert process.wait() == 0
        pid = outside(host, int((tmp_path / "pid").read_text()))

        assert _is_alive(pid)
        host.close()
        assert not _is_alive(pid)

    def test_kill_reaches_all_below(self, host: HostSession, tmp_path: Path) -> None:
        """SIGKILL is for the whole tree of the step, whatever sessions are in it."""
        script = "setsid sh -c 'trap \"\" INT TERM; echo $$; while :; do sleep 1; done' & wait"
        process = self.start(host, tmp_path, script)
        child = os.pidfd_open(outside(host, int(process.read())))
        process.kill()
        read_all(process)

        assert process.wait() == 128 + signal.SIGKILL
        gone = select.poll()
        gone.register(child, select.POLLIN)
        assert gone.poll(60_000)
        os.close(child)

    def test_processes_that_go_on_starting_others(self, host: HostSession, tmp_path: Path) -> None:
        """Who starts another process before each end is stopped before it is killed."""
        script = "hop() { hop & exit; }; for i in 1 2 3 4 5 6 7 8; do hop & done; echo up; exit"
        # Of the same test in another place, which may run at the same time, there are others.
        hops = str(uuid.uuid4())
        process = self.start(host, tmp_path, script, HOPS=hops)
        assert process.read() == b"up\n"
        host.close()

        assert not _list_with_variable(f"HOPS={hops}".encode())

    def test_output_of_processes_left_behind(self, host: HostSession, tmp_path: Path) -> None:
        """A server that a step started goes on printing, and neither waits nor dies of it."""
        server = "trap '' TERM; yes | head -c 3000000; echo > printed; exec sleep 1000"
        process = self.start(host, tmp_path, f"mkfifo printed; sh -c '{server}' & echo up")
        read_all(process)
        process.release(1 << 30)
        process.wait()

        assert (tmp_path / "printed").read_text() == "\n"

    def test_session_without_its_supervisor(self, host: HostSession, tmp_path: Path) -> None:
        """Killed, it takes the job with it, and every step says so."""
        process = self.start(host, tmp_path, "echo $PPID; exec sleep 1000")
        supervisor = outside(host, int(process.read()))
        step = outside(host, _pid_of(process))
        os.kill(supervisor, signal.SIGKILL)

        assert read_all(process) == b""
        with pytest.raises(ExecutorError, match="supervisor of this job was killed"):
            process.wait()
        with pytest.raises(ExecutorError, match="supervisor of this job was killed"):
            self.start(host, tmp_path, "true")
        assert wait_until(lambda: not _is_alive(step))

    def test_steps_beside_each_other(self, host: HostSession, tmp_path: Path) -> None:
        """Steps may run at once, each read by a thread of its own."""
        outputs: dict[int, bytes] = {}

        def run(number: int) -> None:
            process = self.start(host, tmp_path, f"seq {number} {number + 5000}; exit {number}")
            outputs[number] = read_all(process)
            assert process.wait() == number

        threads = [threading.Thread(target=run, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert outputs == {
            number: "".join(f"{it}\n" for it in range(number, number + 5001)).encode()
            for number in range(10)
        }

    def test_whole_group_is_interrupted(self, host: HostSession, tmp_path: Path) -> None:
        """A signal reaches the children of the step's shell."""
        child = 'trap "echo child; exit" INT; echo up; while :; do sleep 0.05; done'
        script = f"trap 'echo shell' INT; sh -c '{child}'"
        process = self.start(host, tmp_path, script)
        assert process.read() == b"up\n"
        process.interrupt()

        assert sorted(read_all(process).split()) == [b"child", b"shell"]

    def test_much_output(self, host: HostSession, tmp_path: Path) -> None:
        """Nothing is lost of what a process prints before it ends."""
        process = self.start(host, tmp_path, "head -c 5000000 /dev/zero")

        assert len(read_all(process)) == 5_000_000

    @pytest.mark.parametrize(
        ("arguments", "variables", "reason"),
        [
            pytest.param(["/no/such"], {}, "No such file or directory", id="no-program"),
            pytest.param(["/proc/version"], {}, "Permission denied", id="not-executable"),
            pytest.param(["/bin/true"], {"A=B": "x"}, "illegal environment", id="bad-name"),
            pytest.param(["/bin/true"], {"A": "x\0y"}, "null byte", id="nul-in-value"),
            pytest.param(
                ["/bin/true"], {"A": "x" * 3_000_000}, "Argument list too long", id="huge"
            ),
        ],
    )
    def test_program_that_cannot_start(
        self,
        host: HostSession,
        tmp_path: Path,
        arguments: list[str],
        variables: dict[str, str],
        reason: str,
    ) -> None:
        """The message is that of .NET, which GitHub's runner shows."""
        with pytest.raises(
            ExecutorError, match="An error occurred trying to start process"
        ) as error:
            host.spawn(arguments, variables=variables, folder=str(tmp_path))

        assert reason in str(error.value)


def outside(session: HostSession, pid: int) -> int:
    """Return the id that a process of a job has here; in a place of its own it has another."""
    if isinstance(session, ContainerSession):
        first = session.find_first()
    elif isinstance(session, SandboxSession):
        (first,) = session.see(Path("/")).parts[2:3]
    else:
        return pid
    namespace = Path(f"/proc/{first}/ns/pid").readlink()
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if (status.parent / "ns/pid").readlink() != namespace:
                continue
            numbers = re.search(r"^NSpid:(.*)$", status.read_text(), re.MULTILINE)
            if numbers is not None and int(numbers[1].split()[-1]) == pid:
                return int(status.parent.name)
    raise AssertionError(f"no process {pid} there")


def _pid_of(process: Process) -> int:
    assert isinstance(process, HostProcess)
    return process.pid


def _list_with_variable(variable: bytes) -> list[str]:
    """Return the processes that have a variable in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:
            continue
    return found


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
