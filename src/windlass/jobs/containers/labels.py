"""The labels by which a later Windlass finds what belongs to nobody any more.

An owner is named by its machine, the machine's uptime, the process namespace, the process id and
the time at which it was started: a daemon may serve several machines, and containers with a
Windlass in each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from windlass.jobs.boot import read_boot
from windlass.jobs.supervisor.presence import is_alive, name_self

OWNER: Final = "windlass.owner"
JOB: Final = "windlass.job"
_MACHINE: Final = "/etc/machine-id"
_NAMESPACE: Final = "/proc/self/ns/pid"


def own_labels(job: str) -> dict[str, str]:
    """Return the labels of all that this process makes in the daemon for a job."""
    return {OWNER: name_owner(), JOB: job}


def name_owner() -> str:
    """Return how this process is named as an owner."""
    pid, started = name_self()
    return f"{_name_surroundings()}/{pid}/{started}"


def is_abandoned(owner: str) -> bool:
    """Tell whether the process that a label names is gone for certain.

    One of another machine, or in another container, cannot be seen from here: it may live.
    """
    machine, boot, namespace, pid, started = (*owner.split("/"), "", "", "", "", "")[:5]
    own_machine, own_boot, own_namespace = _name_surroundings().split("/")
    if machine != own_machine or not (pid.isdecimal() and started.isdecimal()):
        return False
    if boot != own_boot:
        return True
    return namespace == own_namespace and not is_alive((int(pid), int(started)))


def _name_surroundings() -> str:
    try:
        machine = Path(_MACHINE).read_text(encoding="ascii").strip()
    except OSError:
        machine = ""
    return f"{machine}/{read_boot()}/{Path(_NAMESPACE).stat().st_ino}"
