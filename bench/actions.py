#!/usr/bin/env python3
"""What an action in JavaScript costs that does nothing, against Node.js with its script alone.

Usage: bench/actions.py [--steps N] [--rounds N]

The action is fetched from a remote, as published ones are. The difference of two jobs, one of them
with a single step, is what the other steps cost; all is measured in turns in one run: on this
machine, in a sandbox and in a container of a small image. Where an action takes 20 ms more than
`node main.js` in the same place, it is too slow. A place that this machine cannot make is left out,
which is said.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.images import TOOLS, make_tools_image
from tests.remotes import Remotes

from measuring.places import OpenShell, find_daemon, find_sandbox
from measuring.repositories import WINDLASS, make_repository, time_command, write_job

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = "windlass-bench/node:1"
ACTION = "acme/nothing@v1"
FILES = {
    "action.yml": "inputs: {word: {default: x}}\nruns: {using: node20, main: main.js}\n",
    "main.js": "",
}
LIMIT_MILLISECONDS = 20.0


@dataclass
class Place:
    """Where actions run: what stands behind `-P`, and how long Node.js alone takes there."""

    name: str
    label: str
    time_node: Callable[[], float]
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def measure(self, repository: Path, variables: dict[str, str], steps: int) -> None:
        """Take one round."""
        whole = {
            name: time_command(
                [WINDLASS, "run", "-W", f".github/workflows/{name}.yml", "-P", f"*={self.label}"],
                repository,
                variables,
            )
            for name in ("many", "one")
        }
        self.ours.append((whole["many"] - whole["one"]) / steps)
        self.theirs.append(median(self.time_node() for _ in range(steps)))

    def report(self) -> bool:
        """Print the figures; tell whether the limit holds."""
        ours, theirs = (median(it) * 1000 for it in (self.ours, self.theirs))
        verdict = "" if ours - theirs <= LIMIT_MILLISECONDS else "  TOO SLOW"
        print(
            f"{self.name:10} node {theirs:6.1f} ms, action {ours:6.1f} ms: "
            f"{ours - theirs:+6.1f} ms (limit {LIMIT_MILLISECONDS}){verdict}"
        )
        return not verdict


def time_bare_node(script: Path) -> float:
    """Return the seconds of Node.js with a script on this machine."""
    return time_command(["node", str(script)], script.parent)


def find_places(scratch: Path, shells: list[OpenShell]) -> list[Place]:
    """Return where actions can run here; `shells` takes what is to be closed."""
    script = scratch / "alone" / "main.js"
    script.parent.mkdir()
    script.write_text(FILES["main.js"])
    places = [Place("host", "host", lambda: time_bare_node(script))]
    if find_sandbox():
        places.append(Place("sandbox", "sandbox", lambda: time_bare_node(script)))
    if engine := find_daemon():
        make_tools_image(engine, IMAGE, (*TOOLS, "bash", "node"))
        shell = OpenShell(engine, IMAGE, script.parent)
        shells.append(shell)
        node = Place("container", f"docker://{IMAGE}", lambda: shell.run("node /__w/main.js"))
        places.append(node)
    return places


def main() -> int:
    """Measure all places, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    shells: list[OpenShell] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        remotes = Remotes(scratch)
        remotes.publish(ACTION.partition("@")[0], FILES)
        step = f"uses: {ACTION}"
        workflows = {"one.yml": [step], "many.yml": [step] * (options.steps + 1)}
        repository = make_repository(
            scratch / "repository", {name: write_job(it) for name, it in workflows.items()}
        )
        variables = {"WINDLASS_ACTION_URLS": remotes.url}
        if "DOCKER_HOST" in os.environ:
            variables["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
        try:
            places = find_places(scratch, shells)
            for number in range(options.rounds + 1):
                for place in places:
                    place.measure(repository, variables, options.steps)
                    if number == 0:  # everything is cached from now on
                        place.ours.clear()
        finally:
            for shell in shells:
                shell.close()
    holds = [place.report() for place in places]
    return int(not all(holds))


if __name__ == "__main__":
    sys.exit(main())
