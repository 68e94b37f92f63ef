"""What becomes of a job whose Windlass, supervisor or step is killed."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import wait_until_gone
from tests.integration.jobs.job_records import LAST_WORDS, find_supervisor, read_log, wait_for
from tests.sandboxes import need_sandbox
from tests.waiting import wait_until

from windlass.errors import ExecutorError
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.log import StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.jobs.supervisor.sweep import list_open_jobs, sweep
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "hunter2-and-more"

PROGRAM = """
import sys
from pathlib import Path
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.jobs.folders import JobFolders
from windlass.jobs.log import StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.stores.logs import JobLogWriter
folder, own, script, place = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
folders = JobFolders(own, "boat", own / "tools")
folders.make()
masker = Masker(["hunter2-and-more"])
writer = JobLogWriter(folder / "log")
executor = SandboxExecutor() if place == "sandbox" else HostExecutor()
session = executor.open(JobRequest(key="job", record=folder, folders=folders))
masker.listen(session.hide)
variables = {"PATH": "/usr/bin:/bin", "RUNNER_TRACKING_ID": f"windlass_{folder}"}
def add_mask(line):
    if line.startswith("::add-mask::"):
        return lambda: masker.add(line.removeprefix("::add-mask::"))
    return None
for number in range(3):
    step = f"step{number}"
    process = session.spawn(
        ["/bin/bash", "-c", script], variables=variables, folder="/", step=step
    )
    log = StepLog(masker, lambda _: None, writer=writer, step=step)
    read_to_end(process, log, add_mask, lambda _: False)
session.close()
writer.close()
"""

COUNT = """
echo $$ >> "{folder}/steps"
echo ::add-mask::another-one
i=0
while [ $i -lt 4000 ]; do
    i=$((i + 1))
    echo "line $i hunter2-and-more another-one"
done
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a job, where a repository's runs are kept."""
    folder = tmp_path / "runs" / "17" / "1" / "jobs" / "1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(params=["host", "sandbox"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the job runs; in a sandbox the folder of its log is not to be seen."""
    if request.param == "sandbox":
        need_sandbox()
    return str(request.param)


@pytest.fixture
def own(job: Path) -> Path:
    """The folder of the job that its steps write to."""
    folder = job.parents[3].parent / "own"
    folder.mkdir()
    return folder


class Windlass(subprocess.Popen[bytes]):
    """A Windlass that runs three steps, and what is left of its job."""

    def __init__(self, job: Path, own: Path, script: str, place: str) -> None:
        words = [sys.executable, "-c", PROGRAM, str(job), str(own), script, place]
        super().__init__(words, cwd="/")
        self.own = own
        self.supervisor = find_supervisor(job)
        self._namespace = read_namespace(self.supervisor) if place == "sandbox" else ""

    def list_left(self) -> list[int]:
        """Return the processes of the job that still run: those its steps wrote down."""
        if self._namespace:
            known = [int(it.name) for it in Path("/proc").glob("[0-9]*")]
            inside = [pid for pid in known if read_namespace(pid) == self._namespace]
            return [pid for pid in inside if is_alive(pid)]
        steps = self.own / "steps"
        written = steps.read_text().split() if steps.exists() else []
        return [int(pid) for pid in written if is_alive(int(pid))]


def read_namespace(pid: int) -> str:
    """Return what names the processes that a process sees; empty for none."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""


def assert_true(job: Path, windlass: Windlass | None = None) -> None:
    """Every step's lines are there from the first on, in order, none twice, none half, masked."""
    lines = read_log(job)
    for step in ("step0", "step1", "step2"):
        texts = [text for key, text in lines if key == step and text != LAST_WORDS]
        assert texts == [f"line {number} *** ***" for number in range(1, len(texts) + 1)]
    assert [path.name for path in job.iterdir() if path.name.startswith("supervisor")] == []
    assert windlass is None or windlass.list_left() == []
    assert list_marked(f"RUNNER_TRACKING_ID=windlass_{job}".encode()) == []


def list_marked(variable: bytes) -> list[str]:
    """Return the processes that have a variable in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("seed", range(int(os.environ.get("WINDLASS_KILLS", "12"))))
def test_windlass_is_killed(job: Path, own: Path, place: str, seed: int) -> None:
    """Wherever `kill -9` hits Windlass, its steps end and no line is lost, none comes twice."""
    chance = random.Random(seed)
    windlass = Windlass(job, own, COUNT.format(folder=own), place)
    size = chance.choice([0, 1, chance.randrange(180_000)])
    wait_for(job / "log", size)
    pause = select.poll()
    pause.poll(chance.randrange(20))
    windlass.kill()
    windlass.wait()
    wait_until_gone({windlass.supervisor})
    # The job may just have been over: then there was nothing to finish but this.
    sweep(job.parents[3])

    assert_true(job, windlass)
    last = [text for _, text in read_log(job)][-1:]
    assert last in ([], [LAST_WORDS], ["line 4000 *** ***"])


def test_lines_printed_after_the_kill_began(job: Path, own: Path, place: str) -> None:
    """What a step printed and nobody had read is in the log, up to its own end."""
    script = f"echo one; read < {own}/go; seq 5; touch {own}/printed; sleep 60"
    os.mkfifo(own / "go")
    windlass = Windlass(job, own, script, place)
    wait_for(job / "log")
    windlass.send_signal(signal.SIGSTOP)
    (own / "go").write_text("go\n")
    assert wait_until((own / "printed").exists, pause_milliseconds=5)
    windlass.kill()
    windlass.wait()
    wait_until_gone({windlass.supervisor})

    assert [text for _, text in read_log(job)] == ["one", "1", "2", "3", "4", "5", LAST_WORDS]


def test_daemons_end_with_windlass(job: Path, own: Path, place: str) -> None:
    """Neither a new session nor a cleared environment nor deafness keeps a process alive."""
    script = (
        f'setsid env -i /bin/sh -c \'trap "" INT TERM HUP; echo $$ >> {own}/steps; '
        f"while :; do /bin/sleep 1; done' >/dev/null 2>&1 & echo $! >> {own}/steps; sleep 60"
    )
    windlass = Windlass(job, own, script, place)
    wait_for(own / "steps", 4)
    windlass.kill()
    windlass.wait()
    wait_until_gone({windlass.supervisor})

    assert_true(job, windlass)


def test_both_are_killed(job: Path, own: Path, place: str) -> None:
    """The next command ends what is left, and says in the log what cannot be shown."""
    windlass = Windlass(
        job, own, f"echo one; while :; do echo $$ >> {own}/steps; sleep 0.1; done", place
    )
    # Of the log that counts which its index speaks of.
    wait_for(job / "log.index")
    wait_for(own / "steps")
    runs = job.parents[3]
    assert sweep(runs) == []
    assert list_open_jobs(runs) == [job]
    windlass.send_signal(signal.SIGSTOP)
    os.kill(windlass.supervisor, signal.SIGKILL)
    windlass.kill()
    windlass.wait()
    wait_until_gone({windlass.supervisor})

    assert sweep(runs) == [job]
    assert list_open_jobs(runs) == []
    assert sweep(runs) == []
    assert read_log(job)[0] == ("step0", "one")
    assert windlass.list_left() == []


def test_both_are_killed_and_nobody_comes(job: Path, own: Path, place: str) -> None:
    """What has started the supervisor ends what is left, even what hides and what is deaf."""
    script = (
        f'setsid env -i /bin/sh -c \'trap "" INT TERM HUP; echo $$ >> {own}/steps; '
        f"while :; do /bin/sleep 1; done' & echo $$ >> {own}/steps; sleep 1000"
    )
    windlass = Windlass(job, own, script, place)
    wait_for(own / "steps", 4)
    while len((own / "steps").read_text().split()) < 2:
        select.poll().poll(5)
    windlass.send_signal(signal.SIGSTOP)
    os.kill(windlass.supervisor, signal.SIGKILL)
    windlass.kill()
    windlass.wait()

    wait_until_gone(set(windlass.list_left()))
    assert windlass.list_left() == []


def test_nonsense_about_who_looks_after_a_job(job: Path) -> None:
    """A job that nobody can be found for counts as interrupted."""
    writer = JobLogWriter(job / "log")
    writer.write("build", b"shown\n")
    writer.close()
    (job / "supervisor.json").write_text("{}")

    assert sweep(job.parents[3]) == [job]
    (first, last) = read_log(job)
    assert first == ("build", "shown")
    assert last[0] == "build"
    assert "is not kept: nobody knows any more what in it is secret" in last[1]


class TestSupervisorIsKilled:
    """The job's processes end, the step fails and says why, and so does what follows."""

    @pytest.fixture
    def masker(self) -> Masker:
        return Masker([SECRET])

    @pytest.fixture
    def writer(self, job: Path) -> Iterator[JobLogWriter]:
        writer = JobLogWriter(job / "log")
        yield writer
        writer.close()

    def test_while_a_step_runs(self, job: Path, masker: Masker, writer: JobLogWriter) -> None:
        session = HostExecutor().open(JobRequest(key="job", record=job))
        variables = {"PATH": "/usr/bin:/bin", "RUNNER_TRACKING_ID": f"windlass_{job}"}
        script = f"setsid sleep 1000 & echo $! > {job}/steps; echo up; sleep 1000"
        process = session.spawn(
            ["/bin/sh", "-c", script], variables=variables, folder="/", step="a"
        )
        seen: list[str] = []

        def kill(text: str) -> None:
            seen.append(text)
            os.kill(find_supervisor(job), signal.SIGKILL)

        log = StepLog(masker, kill, writer=writer, step="a")
        with pytest.raises(ExecutorError, match="supervisor of this job was killed"):
            read_to_end(process, log, lambda _: None, lambda _: False)
        with pytest.raises(ExecutorError, match="supervisor of this job was killed"):
            session.spawn(["/bin/true"], variables=variables, folder="/")
        session.close()

        assert seen == ["up\n"]
        assert not is_alive(process.pid)
        assert_true(job)
