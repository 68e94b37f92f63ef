"""Who owns what is in the daemon, and when that is nobody any more."""

from __future__ import annotations

import os
import subprocess

import pytest

from windlass.jobs.containers.labels import JOB, OWNER, is_abandoned, own_labels


def test_own_labels() -> None:
    """What this process makes is labelled, and is not abandoned while it runs."""
    labels = own_labels("build (3.12)")

    assert labels[JOB] == "build (3.12)"
    assert not is_abandoned(labels[OWNER])


def parts() -> list[str]:
    return own_labels("build")[OWNER].split("/")


def test_a_process_that_has_ended() -> None:
    """An owner that has ended has abandoned what it made."""
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    machine, boot, namespace, _, started = parts()

    assert is_abandoned(f"{machine}/{boot}/{namespace}/{child.pid}/{started}")


def test_a_process_id_that_was_given_out_again() -> None:
    """Another process with the owner's id is not the owner."""
    machine, boot, namespace, pid, started = parts()

    assert is_abandoned(f"{machine}/{boot}/{namespace}/{pid}/{int(started) - 1}")


def test_an_earlier_uptime() -> None:
    """No process outlives the machine's start."""
    machine, _, namespace, pid, started = parts()

    assert is_abandoned(f"{machine}/of-yesterday/{namespace}/{pid}/{started}")


@pytest.mark.parametrize("place", [0, 2], ids=["another machine", "another container"])
def test_an_owner_that_cannot_be_seen(place: int) -> None:
    """What belongs to a process elsewhere is left alone, for it may live."""
    named = parts()
    named[place] = "elsewhere"
    named[3] = str(os.getpid() + 1_000_000)

    assert not is_abandoned("/".join(named))


@pytest.mark.parametrize("owner", ["", "me", "a/b/c/d/e", "//////"])
def test_an_owner_that_nobody_wrote(owner: str) -> None:
    """A label that is not ours is nobody's business."""
    assert not is_abandoned(owner)
