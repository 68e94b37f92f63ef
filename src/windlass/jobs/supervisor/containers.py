"""Removes the containers of a job whose Windlass has died: nobody else would, before the next one.

Imported by the supervisor when that has happened.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from windlass.docker.addresses import read_address
from windlass.docker.containers import remove_container
from windlass.docker.engine import Engine
from windlass.errors import WindlassError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWER_SECONDS: Final = 20.0
"""The end of the job's log waits for it; a daemon removes even when nobody waits any more."""


def remove_containers(containers: Mapping[str, str]) -> None:
    """Kill and remove containers, by id, of daemons, by address.

    What cannot be reached is left to the next command, which sweeps by labels.
    """
    for container, address in containers.items():
        with contextlib.suppress(WindlassError):
            engine = Engine(read_address(address, os.environ), patience=_ANSWER_SECONDS)
            remove_container(engine, container)
