"""Jobs in containers whose image has no shell: a program or two, and what those need."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.images import make_tools_image

from windlass.docker.images import import_image, remove_image
from windlass.jobs.executors.docker import DockerExecutor
from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

IMAGE = f"windlass-test/bare-{os.getpid()}"
FILES = {
    "action.yml": "inputs: {with-hyphen: {}}\nruns: {using: node20, main: main.js}\n",
    "main.js": "console.log(process.env['INPUT_WITH-HYPHEN'], process.pid)\n",
}


@pytest.fixture
def bare(bench: Bench, docker: Engine) -> Iterator[Bench]:
    """Jobs run in an image with `cat`, and what Node.js needs, but no shell."""
    with_node = ("node",) if shutil.which("node") else ()
    make_tools_image(docker, IMAGE, ("cat", "sleep", *with_node), without="node")
    bench.executor = DockerExecutor({"DOCKER_HOST": docker.address.text}, image=IMAGE)
    yield bench
    remove_image(docker, IMAGE, force=True)


def test_a_program_of_the_image_runs_a_step(bare: Bench) -> None:
    """`shell:` names it; variables, outputs and the exit code are as everywhere."""
    finished = bare.run(
        """
- run: "echo=this is a script\\n"
  shell: /bin/cat {0}
- {run: 'x', shell: '/bin/cat {0} /no/such'}
"""
    )

    assert finished.result is Result.FAILURE
    assert "echo=this is a script\n" in bare.output()
    assert bare.errors() == ["Process completed with exit code 1."]


def test_the_log_says_what_is_different(bare: Bench) -> None:
    """On GitHub such a job would not even begin, as its runner needs a program of the image."""
    bare.run("- {run: x, shell: '/bin/cat {0}'}")

    assert f"The image {IMAGE} has no shell: " in bare.output()


def test_a_script_needs_a_shell_of_the_image(bare: Bench) -> None:
    """The shell of this machine is not lent to steps: they would fail elsewhere."""
    assert bare.run("- run: echo hello").result is Result.FAILURE
    assert bare.errors() == ["sh: command not found"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
def test_an_action_in_javascript_runs(bare: Bench) -> None:
    """Node.js is that of this machine, where the image has the libraries it needs."""
    action = bare.root / "job" / "cat" / "cat" / "act"

    def lay_out(event: events.RunEvent) -> None:
        if isinstance(event, events.StepStarted) and not action.exists():
            action.mkdir()
            for name, text in FILES.items():
                (action / name).write_text(text)

    bare.on_event = lay_out
    steps = "- {run: x, shell: '/bin/cat {0}'}\n- uses: ./act\n  with: {with-hyphen: boat}\n"

    assert bare.run(steps).result is Result.SUCCESS, bare.errors()
    assert "boat " in bare.output()


def test_an_image_with_nothing_in_it(bench: Bench, docker: Engine) -> None:
    """It begins, and says which program there is not."""
    name = f"windlass-test/nothing-{os.getpid()}"
    import_image(docker, [bytes(10_240)], name)
    try:
        bench.executor = DockerExecutor({"DOCKER_HOST": docker.address.text}, image=name)
        assert bench.run("- {run: x, shell: '/app {0}'}").result is Result.FAILURE
        assert bench.errors() == ["/app: command not found"]
    finally:
        remove_image(docker, name, force=True)
