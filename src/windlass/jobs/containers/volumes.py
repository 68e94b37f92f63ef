"""Volumes as workflows write them: `SOURCE:TARGET[:ro]` or `TARGET`.

Source: actions/runner src/Runner.Worker/Container/ContainerInfo.cs (MountVolume); docker/cli
cli/compose/loader/volume.go for what is a name and what a path
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.jobs.containers.faults import ContainerFault

if TYPE_CHECKING:
    from windlass.jobs.containers.creation import Creation


def mount_volume(creation: Creation, text: str) -> None:
    """Mount a folder of the machine, a named volume or one without a name.

    Raises:
        ContainerFault: it is none of these.
    """
    source, target, mode = _split(text)
    if not target.startswith("/"):
        raise _refuse(text, f"'{target}' is no absolute path")
    if not source:
        creation.enter("Volumes", target, {})
        return
    if not source.startswith("/"):
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", source):
            raise _refuse(text, f"'{source}' is neither an absolute path nor a volume's name")
        source = creation.rename_volume(source)
    creation.add("HostConfig.Binds", ":".join(part for part in (source, target, mode) if part))


def _split(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) == 1:
        return "", parts[0], ""
    if len(parts) == 2:
        return ("", parts[0], "ro") if parts[1].lower() == "ro" else (parts[0], parts[1], "")
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    raise _refuse(text, "it has more than three parts")


def _refuse(text: str, reason: str) -> ContainerFault:
    return ContainerFault(
        f"The volume '{text}' cannot be mounted, {reason}",
        hint="write /FOLDER:/TARGET, NAME:/TARGET or /TARGET, with :ro behind it to forbid writing",
    )
