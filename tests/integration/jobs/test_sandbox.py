"""What a step in a sandbox cannot do, and what becomes of one that cannot be made."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sandboxes import need_sandbox

from windlass.errors import ExecutorError
from windlass.jobs.executors import bubblewrap
from windlass.jobs.executors.bubblewrap import require_sandbox
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.jobs.executors.sandbox_view import View
from windlass.jobs.folders import JobFolders
from windlass.jobs.supervisor.client import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.jobs.executors.interface import Session

CACHE = Path(__file__).parents[3] / ".cache"
"""Git ignores it, and it is not below /tmp, which is hidden for another reason."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(autouse=True)
def _possible() -> None:
    need_sandbox(offline=True)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that a job sees unless it is hidden, and cannot write to."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)


class Job:
    """A job in a sandbox, and what its steps print."""

    def __init__(self, root: Path, view: View, *, offline: bool = False) -> None:
        folders = JobFolders(root, "boat", root.parent / "tools")
        folders.make()
        self.folder = folders.workspace
        self.session: Session = SandboxExecutor(view, offline=offline).open(
            JobRequest(key="job", folders=folders)
        )

    def run(self, script: str, **variables: str) -> tuple[str, int]:
        """Run a script of bash; return its output and its exit code."""
        process = self.session.spawn(
            ["/bin/bash", "-c", script],
            variables={"PATH": SYSTEM_PATH, **variables},
            folder=str(self.folder),
        )
        output = b""
        while block := process.read():
            output += block
        return output.decode(), process.wait()


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    job = Job(tmp_path / "job", View())
    yield job
    job.session.close()


def make_job(
    root: Path, request: pytest.FixtureRequest, view: View, *, offline: bool = False
) -> Job:
    job = Job(root, view, offline=offline)
    request.addfinalizer(job.session.close)
    return job


@pytest.mark.parametrize(
    "folder",
    ["/", "/usr", "/usr/local/bin", "/etc", "/var", "/var/lib", "/opt", "/sys", "/proc/sys"],
)
def test_the_system_cannot_be_changed(job: Job, folder: str) -> None:
    """All of the machine's folders can be read only."""
    output, code = job.run(f"echo x > {folder}/windlass-was-here")

    assert code != 0, output
    assert not Path(folder, "windlass-was-here").exists()


def test_files_outside_stay_as_they_are(job: Job, outside: Path) -> None:
    """What is seen can be neither changed, renamed nor removed, nor its mode be set."""
    file = outside / "file"
    file.write_text("before")
    script = f"cat {file}; echo after > {file}; rm {file}; mv {file} {file}2; chmod 777 {file}"
    output, code = job.run(f"{script}; touch {outside}/new")

    assert output.startswith("before")
    assert code != 0
    assert output.count("Read-only file system") == 5
    assert file.read_text() == "before"
    assert file.stat().st_mode & 0o777 != 0o777
    assert list(outside.iterdir()) == [file]


@pytest.mark.parametrize("folder", ["/tmp", "/var/tmp", "/dev/shm"])
def test_temporary_files_are_the_jobs_own(job: Job, folder: str) -> None:
    """What lies there for all is neither seen nor added to; what a step writes, the next finds."""
    with tempfile.NamedTemporaryFile(dir=folder) as theirs:
        assert job.run(f"test -e {theirs.name}")[1] == 1
        assert job.run(f"echo x > {folder}/windlass-was-here") == ("", 0)

    assert job.run(f"cat {folder}/windlass-was-here") == ("x\n", 0)
    assert not Path(folder, "windlass-was-here").exists()


def test_the_home_is_hidden(
    outside: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's HOME is empty, and so are those of all users."""
    (outside / ".netrc").write_text("machine example.org password hunter2")
    monkeypatch.setenv("HOME", str(outside))
    job = make_job(tmp_path / "job", request, View())

    assert job.run(f"ls -A {outside}; ls -A /home") == ("", 0)
    assert (outside / ".netrc").exists()


def test_the_working_tree_is_hidden(
    outside: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of what is hidden a job reads what is shown, and writes to its own folder there."""
    objects, private = outside / ".git" / "objects", outside / ".env"
    objects.mkdir(parents=True)
    (objects / "object").write_text("content")
    private.write_text("TOKEN=hunter2")
    job = make_job(outside / "job", request, View(hidden=[outside], shown=[objects]))

    assert job.run(f"cat {objects}/object") == ("content", 0)
    assert job.run(f"cat {private}")[1] == 1
    assert job.run(f"echo x > {objects}/other")[1] == 1
    assert job.run("echo x > file") == ("", 0)
    assert (job.folder / "file").read_text() == "x\n"
    assert private.read_text() == "TOKEN=hunter2"


def test_only_processes_of_the_job_are_seen(job: Job) -> None:
    """Processes are numbered anew, and none outside can be seen or signalled."""
    output, code = job.run(f"echo /proc/[0-9]*; kill -0 {os.getpid()}")

    assert len(output.splitlines()[0].split()) == 2
    assert code == 1
    assert "No such process" in output


@pytest.mark.parametrize("name", ["KILL", "STOP", "TERM", "INT", "HUP", "QUIT"])
def test_the_supervisor_cannot_be_ended(job: Job, name: str) -> None:
    """The first process of the namespace hears no signal of a step; the next step runs."""
    assert job.run(f"kill -{name} 1") == ("", 0)
    assert job.run("echo on") == ("on\n", 0)


@pytest.mark.parametrize(
    "file", ["environ", "mem", "maps", "root/etc/hostname", "cwd/etc/hostname"]
)
def test_the_supervisor_cannot_be_looked_into(job: Job, file: str) -> None:
    """Its memory and its open files lead out of the namespace, and no step gets at them."""
    output, code = job.run(f"head -c 1 /proc/1/{file}")

    assert code == 1
    assert "Permission denied" in output


def test_open_files_lead_nowhere(
    outside: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Neither the supervisor's files nor one that Windlass was started with can be used."""
    inherited = os.open(outside, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    job = make_job(tmp_path / "job", request, View())
    os.close(inherited)

    output, _ = job.run("echo /proc/self/fd/*; for file in /proc/1/fd/*; do head -c 1 $file; done")
    own, *others = output.splitlines()
    assert {Path(it).name for it in own.split()} <= {"0", "1", "2", "3", "255"}
    assert all("Permission denied" in it or "No such file" in it for it in others), others


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /",
        "mount -o remount,rw,bind /usr",
        "umount /usr",
        "umount /home",
        "unshare --user --map-root-user mount -o remount,rw /",
        "unshare --user --map-root-user --mount umount /home",
        "unshare --user --map-root-user --mount mount -o remount,rw,bind /usr",
        "mknod /tmp/disk b 254 0",
        "chroot /proc/1/root",
        "hostname windlass-was-here",
        "sysctl kernel.core_pattern=x",
    ],
)
def test_nothing_undoes_the_sandbox(job: Job, script: str) -> None:
    """A step has no right to mount, to make devices, or to change the kernel's settings."""
    output, code = job.run(f"{script} && touch /usr/windlass-was-here")

    assert code != 0, output
    assert not Path("/usr/windlass-was-here").exists()
    assert job.run("ls -A /home")[0] == ""


def test_sockets_of_the_machine_are_hidden(
    outside: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither /run nor the daemon of DOCKER_HOST nor the agent of SSH can be reached."""
    with socket.socket(socket.AF_UNIX) as docker, contextlib.chdir(outside):
        # By its name alone: a socket's may have 107 bytes, and the checkout may lie deep.
        docker.bind("docker")
        docker.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{outside}/docker")
        job = make_job(tmp_path / "job", request, View())

        assert job.run(f"test -S {outside}/docker")[1] == 1
        assert job.run("find /run -type s")[0] == ""


@pytest.mark.parametrize(
    ("offline", "code"), [pytest.param(False, 0, id="on"), pytest.param(True, 1, id="off")]
)
def test_the_network(
    tmp_path: Path, request: pytest.FixtureRequest, *, offline: bool, code: int
) -> None:
    """Without a network nothing outside can be reached, this machine's own servers neither."""
    job = make_job(tmp_path / "job", request, View(), offline=offline)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert job.run(f": < /dev/tcp/127.0.0.1/{port}")[1] == code
    links = job.run("tail -n +3 /proc/net/dev | cut -d: -f1")[0].split()
    assert links == ["lo"] or not offline


def test_what_serves_a_job_without_a_network(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Windlass listens on the localhost of such a job, which nobody else reaches."""
    jobs = [
        make_job(tmp_path / name, request, View(), offline=True) for name in ("one", "two", "three")
    ]
    numbers = [job.session.listen() for job in jobs[:2]]
    listeners = [socket.socket(fileno=it) for it in numbers if it is not None]
    one, two = (it.getsockname()[1] for it in listeners)
    asking = "exec 3<>/dev/tcp/127.0.0.1/{port}; head -c 3 <&3"

    for listener, word in zip(listeners, (b"one", b"two"), strict=True):
        threading.Thread(target=_say, args=(listener, word)).start()

    assert jobs[0].run(asking.format(port=one)) == ("one", 0)
    assert jobs[1].run(asking.format(port=two)) == ("two", 0)
    assert jobs[2].run(f": < /dev/tcp/127.0.0.1/{one}")[1] == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", one), timeout=5)
    assert make_job(tmp_path / "online", request, View()).session.listen() is None


def _say(listener: socket.socket, word: bytes) -> None:
    with listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(word)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read them outside")
def test_what_only_root_reads_is_hidden(job: Job) -> None:
    """Where Windlass is run by root, the passwords of the machine are not there."""
    assert Path("/etc/shadow").read_text()

    assert job.run("cat /etc/shadow") == ("cat: /etc/shadow: Permission denied\n", 1)


def test_root_of_a_container(job: Job) -> None:
    """As root a step can do with the job's own files what programs of root are used to."""
    if os.geteuid() != 0:
        pytest.skip("this user is not root")
    output, code = job.run("echo x > file; chown 1000:1000 file; chmod 400 file; echo y >> file")

    assert (output, code) == ("", 0)
    assert (job.folder / "file").stat().st_uid == 1000


UNPRIVILEGED = """
import sys
from pathlib import Path
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.jobs.folders import JobFolders
root = Path(sys.argv[1])
folders = JobFolders(root / "job", "boat", root / "tools")
folders.make()
variables = {"PATH": "/usr/bin:/bin"}
session = SandboxExecutor().open(JobRequest(key="job", folders=folders))
def run(script):
    words = ["/bin/sh", "-c", script]
    process = session.spawn(words, variables=variables, folder=str(root / "job"))
    while block := process.read():
        sys.stdout.write(block.decode())
    print(process.wait())
run("id -u; touch file; ls -A /home; kill -9 1; cat /proc/1/environ 2>/dev/null")
run("touch /usr/x 2>/dev/null || mount -o remount,rw / 2>/dev/null || echo refused")
assert session.find_program("sh", search_path="/nowhere:/bin") == "/bin/sh"
assert (session.see(root / "job" / "file")).exists()
session.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user; else all tests do")
def test_a_user_without_privileges(outside: Path) -> None:
    """Nothing of it needs root, where the machine lets users make namespaces."""
    python = shutil.which("python3", path=SYSTEM_PATH)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python is None or version not in subprocess.getoutput(f"{python} --version"):
        pytest.skip(f"no Python {version} that other users can start")
    nobody = pwd.getpwnam("nobody")
    hidden = [it for it in CACHE.parent.parents if not it.stat().st_mode & 0o001]
    if hidden:
        pytest.skip(f"other users cannot look into {hidden[0]}")
    for folder in (CACHE.parent, CACHE, outside):
        assert folder.stat().st_mode & 0o001 or not folder.chmod(0o755)
    shutil.copytree(Path(SOURCES, "windlass"), outside / "windlass")
    place = outside / "place"
    place.mkdir()
    os.chown(place, nobody.pw_uid, nobody.pw_gid)

    done = subprocess.run(
        [python, "-c", UNPRIVILEGED, place],
        env={"PATH": SYSTEM_PATH, "PYTHONPATH": str(outside), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.returncode) == (f"{nobody.pw_uid}\n1\nrefused\n0\n", 0), done.stderr


class TestRefusal:
    """Where a sandbox cannot be made, nothing runs instead, and it is said what to do."""

    def test_bubblewrap_is_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The package to install is named."""
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(ExecutorError, match="there is no `bwrap` on PATH") as error:
            require_sandbox(offline=False)
        assert error.value.hint is not None
        assert error.value.hint.startswith(
            "install the package bubblewrap, or choose another place"
        )

    @pytest.mark.parametrize(
        ("setting", "value", "cure"),
        [
            ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
            ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ],
    )
    def test_namespaces_are_forbidden(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        setting: str,
        value: str,
        cure: str,
    ) -> None:
        """What bubblewrap said is told, and the setting of this machine that is the cause."""
        refuse_all(tmp_path, monkeypatch)
        settings = tmp_path / "sys"
        (settings / setting).parent.mkdir(parents=True)
        (settings / setting).write_text(f"{value}\n")
        monkeypatch.setattr(bubblewrap, "KERNEL_SETTINGS", str(settings))

        with pytest.raises(ExecutorError, match="No permissions to create new namespace") as error:
            require_sandbox(offline=False)
        assert error.value.hint is not None
        assert cure in error.value.hint
        assert "-P '*=host'" in error.value.hint

    def test_a_root_that_is_no_mount(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """In a chroot it is the chroot that has to be made otherwise."""
        refuse_all(tmp_path, monkeypatch, "Failed to make / slave: Invalid argument")

        with pytest.raises(ExecutorError, match="Failed to make / slave") as error:
            require_sandbox(offline=False)
        assert str(error.value.hint).startswith("make the root of this chroot a mount point")

    def test_a_job_that_is_opened_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The job fails with the same words."""
        refuse_all(tmp_path, monkeypatch)

        with pytest.raises(ExecutorError, match="No permissions to create new namespace"):
            SandboxExecutor().open(JobRequest(key="job"))


def test_others_may_mount_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Docker unmounts what bubblewrap has just found, the sandbox is made once more."""
    real = shutil.which("bwrap")
    program = tmp_path / "bwrap"
    program.write_text(
        f'#!/bin/sh\nif [ $(cat {tmp_path}/count | wc -l) = 3 ]; then exec {real} "$@"; fi\n'
        f"echo >> {tmp_path}/count\n"
        "echo \"bwrap: Can't bind mount /oldroot/ on /newroot/: Unable to apply mount flags: "
        'remount \\"/newroot/merged\\": No such file or directory" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    (tmp_path / "count").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:{SYSTEM_PATH}")

    job = Job(tmp_path / "job", View())
    assert job.run("echo made") == ("made\n", 0)
    job.session.close()
    assert (tmp_path / "count").read_text() == "\n\n\n"


FORBIDDEN = (
    "No permissions to create new namespace, likely because the kernel does not allow "
    "non-privileged user namespaces."
)


def refuse_all(folder: Path, monkeypatch: pytest.MonkeyPatch, reason: str = FORBIDDEN) -> None:
    """Put a bubblewrap on PATH that says what the real one does where namespaces are forbidden."""
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\necho 'bwrap: {reason}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{SYSTEM_PATH}")


def test_a_supervisor_that_is_killed_takes_the_job_with_it(job: Job) -> None:
    """The kernel ends all of the namespace with its first process."""
    marker = f"windlass-{os.getpid()}"
    process = job.session.spawn(
        ["/bin/bash", "-c", f"(exec -a {marker} sleep 1000) & echo up; wait"],
        variables={"PATH": SYSTEM_PATH},
        folder="/",
    )
    assert process.read() == b"up\n"
    supervisor = int(job.session.see(Path("/")).parts[2])
    os.kill(supervisor, signal.SIGKILL)

    with pytest.raises(ExecutorError, match="supervisor of this job was killed"):
        process.wait()
    assert not [it for it in _list_commands() if marker.encode() in it]


def _list_commands() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes()
