"""Two jobs that want one port of the machine."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from windlass.errors import ExecutorError
from windlass.jobs.containers.creation import Creation
from windlass.jobs.containers.port_turns import holding_ports
from windlass.jobs.patience import StartCancelledError

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from windlass.jobs.containers.port_turns import holding_ports
with holding_ports([5432], note=print, pause=lambda _: False, folder=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def refuse(_: float) -> bool:
    return True


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    """A job has its ports once the other one has ended, and says once that it waits."""
    lines: list[str] = []
    looks = 0
    first = holding_ports([80, 5432], note=lines.append, pause=refuse, folder=tmp_path / "ports")
    first.__enter__()

    def pause(_: float) -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            first.__exit__(None, None, None)
        return False

    with holding_ports([5432], note=lines.append, pause=pause, folder=tmp_path / "ports"):
        assert looks == 3
    assert lines == [
        "Port 5432 of this machine is another job's: waiting until that job has ended."
    ]


def test_ports_in_any_order_are_no_deadlock(tmp_path: Path) -> None:
    """Two jobs that name the same ports in other orders do not wait for each other."""
    ended = []

    def hold(ports: list[int]) -> None:
        for _ in range(50):
            with holding_ports(
                ports,
                note=lambda _: None,
                pause=lambda _: threading.Event().wait(0.001),
                folder=tmp_path / "ports",
            ):
                pass
        ended.append(ports)

    threads = [threading.Thread(target=hold, args=(it,)) for it in ([1, 2, 2], [2, 1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(ended) == 2


def test_a_job_that_is_cancelled_waits_no_longer(tmp_path: Path) -> None:
    """Nothing stays held by a job that has given up."""
    folder = tmp_path / "ports"
    with (
        holding_ports([5432], note=print, pause=refuse, folder=folder),
        pytest.raises(StartCancelledError),
        holding_ports([80, 5432], note=print, pause=refuse, folder=folder),
    ):
        pass
    with holding_ports([80, 5432], note=print, pause=refuse, folder=folder):
        pass


def test_a_killed_job_holds_nothing(tmp_path: Path) -> None:
    """The system takes the ports of a killed process back."""
    folder = tmp_path / "ports"
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StartCancelledError),
            holding_ports([5432], note=print, pause=refuse, folder=folder),
        ):
            pass
        holder.kill()
    with holding_ports([5432], note=print, pause=refuse, folder=folder):
        pass


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """Where the locks cannot be written, the error names the place."""
    (tmp_path / "ports").write_text("")

    with (
        pytest.raises(ExecutorError, match="shared out by files in"),
        holding_ports([1], note=print, pause=refuse, folder=tmp_path / "ports"),
    ):
        pass


def test_fixed_ports() -> None:
    """Only ports that the workflow names are waited for; the daemon finds others by itself."""
    creation = Creation("image")
    for text in ("80", "0:81", "8082:82", "9000-9005:90", "5000-5001:50-51"):
        creation.publish(text)

    assert list(creation.fixed_ports()) == [8082, 5000, 5001]
