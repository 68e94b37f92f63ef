"""Removes the containers of a job whose Windlass has died: nobody else would, before the next one.

Imported by the supervisor when that has happened.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from windlass.docker.addresses import read_address
from windlass.docker.containers import remove_container
from windlass.docker.engine import Engine
from windlass.errors import WindlassError

if TYPE_CHECKING:
    from collections.abc import Mapping


def remove_containers(containers: Mapping[str, str]) -> None:
    """Kill and remove containers, by id, of daemons, by address.

    What cannot be reached is left to the next command, which sweeps by labels.
    """
    for container, address in containers.items():
        with contextlib.suppress(WindlassError):
            remove_container(Engine(read_address(address, os.environ)), container)
