"""How other processes reach a run: what they write to its FIFO is done, and nothing else is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from windlass.engine.control import CANCELLED, ControlListener, send_control

if TYPE_CHECKING:
    from pathlib import Path


class Run:
    """Writes down what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def cancel(self, reason: str) -> None:
        self.asked.append(("cancel", reason))

    def force(self) -> None:
        self.asked.append(("force",))

    def cancel_job(self, key: str, reason: str) -> None:
        self.asked.append(("cancel-job", key, reason))


@pytest.fixture
def run() -> Run:
    return Run()


def listen(path: Path, run: Run) -> ControlListener:
    return ControlListener(path, run, lambda key: key.replace("***", "hunter2"))


def test_a_run_is_cancelled_and_forced(tmp_path: Path, run: Run) -> None:
    """`cancel` asks it to end, `force` does so too and kills what is left."""
    with listen(tmp_path / "control", run):
        assert send_control(tmp_path / "control", "cancel")
        assert send_control(tmp_path / "control", "force")

    assert run.asked == [("cancel", CANCELLED), ("cancel", CANCELLED), ("force",)]


def test_keys_and_reasons_may_hold_anything(tmp_path: Path, run: Run) -> None:
    """Lines and tabs of a matrix value or a group's name are no requests of their own."""
    key, reason = 'build (a\tb\n["force"]\n\udcff)', 'for "x\nforce\nstop"'
    with listen(tmp_path / "control", run):
        assert send_control(tmp_path / "control", "cancel-job", key, reason)

    assert run.asked == [("cancel-job", key, reason)]


def test_keys_with_secrets_are_found(tmp_path: Path, run: Run) -> None:
    """Other processes know a job by what stands for its key in history."""
    with listen(tmp_path / "control", run):
        assert send_control(tmp_path / "control", "cancel-job", "build (***)", "newer")

    assert run.asked == [("cancel-job", "build (hunter2)", "newer")]


@pytest.mark.parametrize(
    "line", ["", "cancel", '"force"', "[]", "{}", '["cancel-job", 1, 2]', "[" * 9999]
)
def test_nonsense_is_ignored(tmp_path: Path, run: Run, line: str) -> None:
    """What is no request changes nothing, and later requests are heard."""
    with listen(tmp_path / "control", run):
        file = os.open(tmp_path / "control", os.O_WRONLY)
        os.write(file, f"{line}\n".encode())
        os.close(file)
        assert send_control(tmp_path / "control", "force")

    assert run.asked == [("cancel", CANCELLED), ("force",)]


def test_nobody_listens(tmp_path: Path, run: Run) -> None:
    """A request to a run that is over is not sent."""
    assert not send_control(tmp_path / "control", "cancel")
    with listen(tmp_path / "control", run):
        pass
    assert not send_control(tmp_path / "control", "cancel")
