"""What the first, the second and every further signal does."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys

from windlass.cli.interrupting import ANNOUNCEMENTS, cancelled_by_signals

SECONDS = 60
WAITING = """
import time
from windlass.cli.interrupting import cancelled_by_signals
with cancelled_by_signals(lambda: print("cancel", flush=True), lambda text: None):
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""


def test_the_first_two_signals_cancel() -> None:
    """Each says what the next one does; handlers of others are there again afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    with cancelled_by_signals(lambda: told.put("cancel"), told.put):
        for announcement in ANNOUNCEMENTS:
            os.kill(os.getpid(), signal.SIGTERM)
            assert [told.get(timeout=SECONDS) for _ in range(2)] == [announcement, "cancel"]

    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_hang_up_counts_once() -> None:
    """A terminal that closes sends several hang-ups; the run still ends politely."""
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    with cancelled_by_signals(lambda: told.put("cancel"), told.put):
        os.kill(os.getpid(), signal.SIGHUP)
        assert [told.get(timeout=SECONDS) for _ in range(2)] == [ANNOUNCEMENTS[0], "cancel"]
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGINT)
        assert [told.get(timeout=SECONDS) for _ in range(2)] == [ANNOUNCEMENTS[1], "cancel"]
    assert told.empty()


def test_a_third_signal_leaves_at_once() -> None:
    """Nothing is waited for; the exit code is that of a cancelled run."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    for _ in ANNOUNCEMENTS:
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"cancel\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130
    assert b"left at once" in errors
    assert b"Traceback" not in errors


def test_a_hang_up_that_nohup_ignores_stays_ignored() -> None:
    """`nohup windlass run &` outlives the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told: list[str] = []
    try:
        with cancelled_by_signals(lambda: told.append("cancel"), told.append):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told == []
