"""Where jobs run: what may stand behind `-P LABEL=`, and the executor that is meant by it.

    host              this machine, as its user
    sandbox           this machine, in a namespace that shows little of it
    sandbox:offline   the same, without a network
    docker://IMAGE    a container of that image

A job that names a container of its own runs in that one, wherever its label says.

Everything is checked before any job starts: that a place is one of these, and that this machine can
make it. A job never runs elsewhere than where it was said to.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from windlass.errors import ExecutorError
from windlass.plan.places import (
    DOCKER,
    OFFLINE,
    SANDBOX,
    find_place,
    foresee_image,
)
from windlass.stores.state_folder import BASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from windlass.jobs.executors.docker import DockerExecutor
    from windlass.jobs.executors.interface import Executor
    from windlass.jobs.executors.sandbox import SandboxExecutor
    from windlass.plan.orders import StartJob


class Executors:
    """The executors of one attempt; each is made when the first job needs it."""

    def __init__(
        self,
        places: Mapping[str, str],
        *,
        root: Path,
        state: Path,
        hidden: Sequence[Path] = (),
    ) -> None:
        """Take where labels are to run (`require_places`), the user's repository, `.windlass`.

        Jobs in a sandbox see nothing of the folders `hidden`.
        """
        self._hidden = hidden
        self._places = places
        self._root = root
        self._state = state
        self._lock = threading.Lock()
        self._made: dict[str, Executor] = {}

    def find(self, order: StartJob) -> Executor:
        """Return what runs a job; may be called from several threads."""
        place = find_place(order.labels, self._places)
        with self._lock:
            if order.job.container is not None:
                return self._find_own(order, place)
            if place is not None:
                return self._share(place)
        raise ExecutorError(
            f"nothing says where jobs with the label '{', '.join(order.labels)}' run",
            hint="say it: -P LABEL=PLACE",
        )

    def _find_own(self, order: StartJob, place: str | None) -> Executor:
        """Return what runs a job in its own container, called as its image as far as it is known.

        A container that turns out to be empty leaves the job to the place of its label.
        """
        otherwise = None if place is None else self._share(place)
        image = foresee_image(order.job.container, order.contexts)
        if image == "" and otherwise is not None:
            return otherwise
        executor = self._make_docker("", otherwise)
        if isinstance(image, str):
            executor.name = f"{DOCKER}{image}"
        return executor

    def _share(self, place: str) -> Executor:
        if place not in self._made:
            self._made[place] = self._make(place)
        return self._made[place]

    def _make(self, place: str) -> Executor:
        if place.startswith(DOCKER):
            return self._make_docker(place.removeprefix(DOCKER), None)
        if place in (SANDBOX, OFFLINE):
            return self._make_sandbox(offline=place == OFFLINE)
        # Imported only where a job runs so, as all of them are.
        from windlass.jobs.executors.host import HostExecutor

        return HostExecutor()

    def _make_docker(self, image: str, otherwise: Executor | None) -> DockerExecutor:
        """Return what runs jobs in containers; `otherwise` takes one whose container is empty."""
        from windlass.git.folders import find_object_folders
        from windlass.jobs.executors.docker import DockerExecutor
        from windlass.stores.state_folder import BASES

        (self._state / BASES).mkdir(parents=True, exist_ok=True)
        # What is checked out shares objects with the user's repository, and may lie in a base.
        shown = (self._state / BASES, *find_object_folders(self._root))
        return DockerExecutor(os.environ, image=image, otherwise=otherwise, shown=shown)

    def _make_sandbox(self, *, offline: bool) -> SandboxExecutor:
        from windlass.jobs.executors.sandbox import SandboxExecutor
        from windlass.operations.sandboxes import describe_view

        # What is not there yet when a job starts cannot be shown to it later.
        (self._state / BASES).mkdir(exist_ok=True)
        return SandboxExecutor(
            describe_view(self._root, self._state, self._hidden), offline=offline
        )
