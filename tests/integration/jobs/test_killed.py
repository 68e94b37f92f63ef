"""What becomes of a job whose Windlass, supervisor or step is killed."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.errors import ExecutorError
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.log import StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.jobs.supervisor.presence import read_presence
from windlass.jobs.supervisor.sweep import list_open_jobs, sweep
from windlass.stores.logs import JobLogReader, JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "hunter2-and-more"
LAST_WORDS = "Windlass was killed while this step ran; the step was ended with it."
SECONDS = 60

PROGRAM = """
import sys
from pathlib import Path
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.log import StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.output import read_to_end
from windlass.stores.logs import JobLogWriter
folder, script = Path(sys.argv[1]), sys.argv[2]
masker = Masker(["hunter2-and-more"])
writer = JobLogWriter(folder / "log")
session = HostExecutor().open(JobRequest(key="job", record=folder))
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


def start(job: Path, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(job), script], cwd="/")


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone which is not ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        assert ended.poll(SECONDS * 1000), f"process {pid} still runs"
    finally:
        os.close(descriptor)


def wait_for(path: Path, size: int = 1) -> None:
    """Wait until a file has so many bytes."""
    pause = select.poll()
    for _ in range(SECONDS * 200):
        if path.exists() and path.stat().st_size >= size:
            return
        pause.poll(5)
    raise AssertionError(f"{path} never had {size} bytes")


def find_supervisor(job: Path) -> int:
    wait_for(job / "supervisor.json")
    presence = read_presence(job / "supervisor.json")
    assert presence is not None
    return presence.supervisor[0]


def read_log(job: Path) -> list[tuple[str, str]]:
    with JobLogReader(job / "log") as reader:
        return [(line.step, line.text) for line in reader.lines(0, reader.line_count)]


def assert_true(job: Path) -> None:
    """Every step's lines are there from the first on, in order, none twice, none half, masked."""
    lines = read_log(job)
    for step in ("step0", "step1", "step2"):
        texts = [text for key, text in lines if key == step and text != LAST_WORDS]
        assert texts == [f"line {number} *** ***" for number in range(1, len(texts) + 1)]
    assert [path.name for path in job.iterdir() if path.name.startswith("supervisor")] == []
    for pid in (job / "steps").read_text().split() if (job / "steps").exists() else []:
        assert not is_alive(int(pid))
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
def test_windlass_is_killed(job: Path, seed: int) -> None:
    """Wherever `kill -9` hits Windlass, its steps end and no line is lost, none comes twice."""
    chance = random.Random(seed)
    windlass = start(job, COUNT.format(folder=job))
    supervisor = find_supervisor(job)
    size = chance.choice([0, 1, chance.randrange(180_000)])
    wait_for(job / "log", size)
    pause = select.poll()
    pause.poll(chance.randrange(20))
    windlass.kill()
    windlass.wait()
    wait_for_end(supervisor)
    # The job may just have been over: then there was nothing to finish but this.
    sweep(job.parents[3])

    assert_true(job)
    last = [text for _, text in read_log(job)][-1:]
    assert last in ([], [LAST_WORDS], ["line 4000 *** ***"])


def test_lines_printed_after_the_kill_began(job: Path) -> None:
    """What a step printed and nobody had read is in the log, up to its own end."""
    script = f"echo one; read < {job}/go; seq 5; touch {job}/printed; sleep 60"
    os.mkfifo(job / "go")
    windlass = start(job, script)
    supervisor = find_supervisor(job)
    wait_for(job / "log")
    windlass.send_signal(signal.SIGSTOP)
    (job / "go").write_text("go\n")
    pause = select.poll()
    while not (job / "printed").exists():
        pause.poll(5)
    windlass.kill()
    windlass.wait()
    wait_for_end(supervisor)

    assert [text for _, text in read_log(job)] == ["one", "1", "2", "3", "4", "5", LAST_WORDS]


def test_daemons_end_with_windlass(job: Path) -> None:
    """Neither a new session nor a cleared environment nor deafness keeps a process alive."""
    script = (
        f'setsid env -i /bin/sh -c \'trap "" INT TERM HUP; echo $$ >> {job}/steps; '
        f"while :; do /bin/sleep 1; done' >/dev/null 2>&1 & echo $! >> {job}/steps; sleep 60"
    )
    windlass = start(job, script)
    supervisor = find_supervisor(job)
    wait_for(job / "steps", 6)
    windlass.kill()
    windlass.wait()
    wait_for_end(supervisor)

    assert_true(job)


def test_both_are_killed(job: Path) -> None:
    """The next command ends what is left, and says in the log what cannot be shown."""
    windlass = start(job, f"echo one; while :; do echo $$ >> {job}/steps; sleep 0.1; done")
    supervisor = find_supervisor(job)
    # Of the log that counts which its index speaks of.
    wait_for(job / "log.index")
    wait_for(job / "steps")
    runs = job.parents[3]
    assert sweep(runs) == []
    assert list_open_jobs(runs) == [job]
    windlass.send_signal(signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    windlass.kill()
    windlass.wait()
    wait_for_end(supervisor)

    assert sweep(runs) == [job]
    assert list_open_jobs(runs) == []
    assert sweep(runs) == []
    assert read_log(job)[0] == ("step0", "one")
    assert not is_alive(int((job / "steps").read_text().split()[0]))


def test_both_are_killed_and_nobody_comes(job: Path) -> None:
    """What has started the supervisor ends what is left, even what hides and what is deaf."""
    script = (
        f'setsid env -i /bin/sh -c \'trap "" INT TERM HUP; echo $$ >> {job}/steps; '
        f"while :; do /bin/sleep 1; done' & echo $$ >> {job}/steps; sleep 1000"
    )
    windlass = start(job, script)
    supervisor = find_supervisor(job)
    wait_for(job / "steps", 6)
    while len(steps := (job / "steps").read_text().split()) < 2:
        select.poll().poll(5)
    windlass.send_signal(signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    windlass.kill()
    windlass.wait()

    for pid in steps:
        wait_for_end(int(pid))


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
