"""Steps that go wild: what they start, what they write, what they print."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import SECONDS, processes_below

from windlass.jobs.supervisor.tree import list_descendants
from windlass.stores.logs import JobLogReader

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

MOST_BYTES = 300 << 20
"""What a run may use of memory, whatever its steps write: a step alone could use gigabytes."""


def write_step(repository: Repository, script: str, *more: str) -> None:
    """Write a workflow of one job: a step with a script, then others."""
    steps = "\n".join(
        f"      - run: |\n          {'          '.join(it.splitlines(True))}"
        for it in (script, *more)
    )
    repository.workflow(f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}\n")
    repository.commit()


def lines_of(repository: Repository) -> list[str]:
    (log,) = (repository.path / ".windlass").glob("runs/*/1/jobs/1/log")
    with JobLogReader(log) as reader:
        return [line.text for line in reader.lines(0, reader.line_count)]


def test_bounded_fork_bomb(repository: Repository) -> None:
    """Hundreds of processes, each in a session of its own and deaf, end with the job."""
    write_step(
        repository,
        "cat > bomb <<'END'\n"
        "trap '' INT TERM HUP\n"
        "if [ $1 -gt 0 ]; then\n"
        "  setsid env -i PATH=$PATH bash bomb $(($1 - 1)) > /dev/null 2>&1 &\n"
        "  setsid env -i PATH=$PATH bash bomb $(($1 - 1)) > /dev/null 2>&1 &\n"
        "fi\n"
        "exec sleep 600\n"
        "END\n"
        "bash bomb 7 > /dev/null 2>&1 &\n"
        "sleep 0.3",
    )
    done = repository.windlass("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert processes_below(repository.path) == set()


def test_processes_that_go_on_starting_others(repository: Repository) -> None:
    """A daemon that replaces itself a hundred times a second does not outrun the end of its job."""
    write_step(
        repository,
        "cat > hydra <<'END'\n"
        "setsid bash hydra > /dev/null 2>&1 &\n"
        "sleep 0.01\n"
        "END\n"
        "setsid bash hydra > /dev/null 2>&1 &\n"
        "sleep 0.3",
    )
    done = repository.windlass("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert processes_below(repository.path) == set()


NOT_A_FILE = "is not a regular file any more."
A_LINK = "is a symbolic link."
FILES = {"GITHUB_ENV": "env", "GITHUB_OUTPUT": "output", "GITHUB_STATE": "state"}


@pytest.mark.parametrize("variable", [*FILES, "GITHUB_PATH"])
@pytest.mark.parametrize(
    ("script", "of_entries", "of_paths"),
    [
        pytest.param('printf "\\0\\377{\\n" > "$FILE"', "Invalid format '", "", id="garbage"),
        pytest.param(
            'printf "A<<END\\nnever ends\\n" > "$FILE"',
            "Invalid value. Matching delimiter not found 'END'",
            "",
            id="unterminated",
        ),
        pytest.param(
            'truncate --size=2G "$FILE"',
            "The file is larger than 65536 KiB: 2147483648 bytes.",
            "The file is larger than 128 KiB: 2147483648 bytes.",
            id="sparse",
        ),
        pytest.param('rm "$FILE"; mkfifo "$FILE"', NOT_A_FILE, NOT_A_FILE, id="fifo"),
        pytest.param('rm "$FILE"; ln -s /dev/zero "$FILE"', A_LINK, A_LINK, id="endless device"),
    ],
)
def test_command_files(
    repository: Repository, variable: str, script: str, of_entries: str, of_paths: str
) -> None:
    """The step fails with GitHub's words and a reason, and memory stays small."""
    write_step(repository, f'FILE="${variable}"\n{script}')
    done = run_measured(repository)

    reason = of_entries if variable in FILES else of_paths
    assert reason in done.stdout
    assert done.returncode == (1 if reason else 0), done.stdout
    if reason:
        name = FILES.get(variable, "path")
        assert f"Unable to process file command '{name}' successfully." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_command_file_that_is_written_all_the_time(repository: Repository) -> None:
    """A daemon that goes on writing does not keep its step, nor its job, from ending."""
    write_step(
        repository,
        '(while :; do echo A=1; done >> "$GITHUB_ENV") > /dev/null 2>&1 &\nsleep 0.05',
        'echo "A is $A"',
    )
    done = run_measured(repository)

    assert done.returncode in (0, 1), done.stderr
    assert "A is 1" in done.stdout or "The file is larger than" in done.stdout
    assert processes_below(repository.path) == set()


def test_node_options_cannot_be_set(repository: Repository) -> None:
    """They would make later actions run other code: an error for the file, as on GitHub."""
    write_step(
        repository,
        'echo "NODE_OPTIONS=--require=/tmp/evil.js" >> "$GITHUB_ENV"',
        'echo "options: ${NODE_OPTIONS-none}"',
    )
    done = repository.windlass("run")

    assert "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command." in done.stdout
    assert "options: none" in done.stdout


def test_ten_million_empty_lines(repository: Repository) -> None:
    """They are kept, every one, and nothing grows with them."""
    write_step(repository, "head --bytes=10M /dev/zero | tr '\\0' '\\n'; echo over")
    done = run_measured(repository)

    assert done.returncode == 0, done.stderr
    (log,) = (repository.path / ".windlass").glob("runs/*/1/jobs/1/log")
    with JobLogReader(log) as reader:
        assert reader.line_count > 10 << 20
        assert [line.text for line in reader.tail(2)] == ["", "over"]


def test_bytes_of_every_kind(repository: Repository) -> None:
    """Escape codes, NULs and broken UTF-8 are in the log; a terminal is steered by none of them."""
    write_step(
        repository,
        "printf '\\033[2J\\033]0;title\\007\\000 nul \\377\\376 \\xc3\\n\\xe2\\x82\\nend\\n'\n"
        "head --bytes=300K /dev/urandom | tr -d '\\n\\r:#'\n"
        "printf '\\nover\\n'",
    )
    done = subprocess.run(
        [sys.executable, "-m", "windlass", "run"],
        cwd=repository.path,
        env=repository.environment(),
        capture_output=True,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stderr
    done.stdout.decode("utf-8")
    lines = lines_of(repository)
    assert "\x1b[2J\x1b]0;title\x07\x00 nul \ufffd\ufffd \ufffd" in lines
    assert lines[-1] == "over"
    assert "Traceback" not in done.stderr.decode()


def run_measured(repository: Repository) -> subprocess.CompletedProcess[str]:
    """Run, and fail if Windlass or its supervisors used much memory; steps do not count."""
    process = repository.start("run")
    highest = 0
    over = threading.Event()

    def measure() -> None:
        nonlocal highest
        while not over.wait(0.02):
            for pid in (process.pid, *list_descendants(process.pid)):
                highest = max(highest, resident_bytes(pid))

    watcher = threading.Thread(target=measure)
    watcher.start()
    try:
        output, errors = process.communicate(timeout=SECONDS)
    finally:
        over.set()
        watcher.join()
    assert highest < MOST_BYTES
    return subprocess.CompletedProcess(
        process.args, process.returncode, output.decode("utf-8"), errors.decode("utf-8")
    )


def resident_bytes(pid: int) -> int:
    """The memory of a process of Windlass's own; 0 for any other, or none."""
    try:
        if b"windlass" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * 4096
    except (OSError, IndexError):
        return 0
