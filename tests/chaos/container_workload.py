"""A small run with everything in it that a daemon makes, and what must be left of it: nothing.

A job in a container, a service with a health check whose image is pulled, an action with a
Dockerfile, a network, volumes with and without a name.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, ClassVar, Final

from tests.chaos.docker_repositories import REMOVAL_SECONDS
from tests.chaos.workload import Workload
from tests.waiting import wait_until

from windlass.docker.containers import list_containers
from windlass.docker.images import list_images, remove_image
from windlass.docker.networks import list_networks
from windlass.docker.volumes import list_volumes
from windlass.jobs.actions.container_images import BUILT_LABEL
from windlass.jobs.containers.labels import OWNER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.chaos.processes import Command

    from windlass.docker.engine import Engine

IMAGE: Final = "windlass-test/chaos:1"
WORKFLOW: Final = """\
on: push
jobs:
  before:
    runs-on: ubuntu-latest
    steps: [run: . "$SAY" begin; . "$SAY" end]
  inside:
    needs: before
    runs-on: ubuntu-latest
    container:
      image: windlass-test/chaos:1
      volumes: ["${{ vars.LEDGERS }}:/ledgers", "/nameless", "kept:/kept"]
    services:
      box:
        image: ${{ vars.PULLED }}
        entrypoint: /bin/sh
        command: -c "while :; do sleep 1; done"
        volumes: ["/nameless", "data:/data"]
        options: --health-cmd "test -d /data" --health-interval 50ms --stop-timeout 0
    defaults: {run: {shell: sh}}
    steps:
      - run: sh /ledgers/say begin
      - uses: actions/checkout@v4
      - id: box
        uses: ./box
      - run: sh /ledgers/say ${{ steps.box.outputs.word }} $(cat made.txt)
      - run: sh /ledgers/say end
"""
SAY: Final = """\
place=$RUNNER_TEMP
while read -r _ _ _ root target _; do
  if [ "$target" = /__w ]; then place=$root; fi
done < /proc/self/mountinfo
folder=${LEDGER%/*}
if [ -d /ledgers ]; then folder=/ledgers; fi
echo "$*"
echo "$place/ $*" >> "$folder/ledger"
"""
"""A container is told by its mounts which folder of this machine the job has."""

ACTION: Final = """\
name: Box
description: Runs in a container of its own.
runs: {using: docker, image: Dockerfile}
"""
DOCKERFILE: Final = 'COPY entry.sh /\nENTRYPOINT ["/bin/sh", "/entry.sh"]\n'
ENTRY: Final = """\
#!/bin/sh
echo boxed
echo made > made.txt
echo word=boxed >> "$GITHUB_OUTPUT"
"""


SAID: Final = re.compile(r"begin|end$|boxed|Checked out|##\[(?!group|endgroup)")


class ContainerWorkload(Workload):
    """The repository, and what its runs leave in a daemon."""

    results: ClassVar[dict[str, str]] = {"before": "success", "inside": "success"}
    ends: ClassVar[dict[str, str]] = {"before": "end", "inside": "end"}

    def __init__(self, folder: Path, engine: Engine, pulled: str) -> None:
        """Make the repository; `pulled` is the image of the service."""
        self._engine = engine
        self._pulled = pulled
        self._started: list[int] = []
        self._label = f"windlass-test.workload={uuid.uuid4()}"
        super().__init__(folder)
        self._say.write_text(SAY)
        self.variables["DOCKER_HOST"] = engine.address.text

    def files(self) -> dict[str, str]:
        """Return what is in the repository."""
        return {
            ".github/workflows/ci.yml": WORKFLOW,
            "box/action.yml": ACTION,
            "box/Dockerfile": f"FROM {IMAGE}\nLABEL {self._label}\n{DOCKERFILE}",
            "box/entry.sh": ENTRY,
        }

    def start(self, *words: str, before: Callable[[], None] = lambda: None) -> Command:
        """Start a command of Windlass; what it leaves in the daemon is known by its id."""
        command = super().start(*words, before=before)
        self._started.append(command.pid)
        return command

    def forget(self) -> None:
        """Remove the images too that a run pulls and builds."""
        super().forget()
        self._started.clear()
        remove_image(self._engine, self._pulled, force=True)
        for image in self._built():
            remove_image(self._engine, image, force=True)

    @property
    def run_words(self) -> tuple[str, ...]:
        """The words of the command that runs it."""
        given = {"LEDGERS": str(self.ledger.parent), "PULLED": self._pulled}
        variables = (word for pair in given.items() for word in ("--var", "=".join(pair)))
        return (*super().run_words, *variables, "-P", "ubuntu-latest=host")

    def kept_lines(self, lines: Iterable[str]) -> list[str]:
        """Return of a log what steps say: an image that is there already is not pulled again."""
        return [line for line in lines if SAID.match(line)]

    def left(self) -> list[str]:
        """Return what commands have left in the daemon, all of which have ended.

        What another Windlass is sweeping just now is not left.
        """
        wait_until(lambda: not list(self._find_left()), REMOVAL_SECONDS)
        return list(self._find_left())

    def _find_left(self) -> Iterator[str]:
        engine = self._engine
        for kind, things in (
            ("container", list_containers(engine, [OWNER])),
            ("network", list_networks(engine, [OWNER])),
            ("volume", list_volumes(engine, [OWNER])),
        ):
            for thing in things:
                if int(thing["Labels"][OWNER].split("/")[3]) in self._started:
                    yield f"left in the daemon: {kind} {thing.get('Names') or thing['Name']}"
        for number in range(len(self._built()) - 1):
            yield f"built {number + 2} times"

    def _built(self) -> list[str]:
        labels = [BUILT_LABEL, self._label]
        return [str(image["Id"]) for image in list_images(self._engine, labels=labels)]
