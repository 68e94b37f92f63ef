"""What `windlass prune --images` removes from a real daemon, and what it leaves there."""

from __future__ import annotations

import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.images import make_tools_image, pack

from windlass.docker.containers import create_container, remove_container
from windlass.docker.engine import Engine
from windlass.docker.images import build_image, inspect_image, remove_image, tag_image
from windlass.jobs.actions.container_images import BUILT_LABEL, BUILT_NAME
from windlass.operations.pruning_shared import prune_images

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "windlass-test/tools:1"


class OwnImages(Engine):
    """The daemon as if it had no images but those of this test."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.address)
        self.own: set[str] = set()

    def ask(self, method: str, path: str, **others: Any) -> Any:
        found = super().ask(method, path, **others)
        if path != "/images/json":
            return found
        return [image for image in found if image["Id"] in self.own]

    def build(self, tag: str) -> str:
        """Build an image that differs from all others by half a kilobyte."""
        dockerfile = f"FROM {BASE}\nCOPY text /\n"
        context = pack({"Dockerfile": dockerfile, "text": uuid.uuid4().hex * 16})
        made = build_image(self, [context], tag=tag, labels={BUILT_LABEL: "./x/Dockerfile"})
        self.own.add(made)
        return made


@pytest.fixture
def engine(docker: Engine) -> Iterator[OwnImages]:
    make_tools_image(docker, BASE)
    engine = OwnImages(docker)
    yield engine
    for image in engine.own:
        remove_image(docker, image, force=True)


def name_image() -> str:
    return f"{BUILT_NAME}:{uuid.uuid4().hex}"


def prune(engine: Engine, *, dry_run: bool = False) -> dict[str, tuple[str, int]]:
    removed = prune_images(engine, dry_run=dry_run)
    return {it.name: (it.reason, it.bytes) for it in removed}


def test_images_of_actions(engine: OwnImages) -> None:
    """They go with what they have beyond the image they were built on; a dry run only says so."""
    name = name_image()
    made = engine.build(name)
    told = {name: ("built of an action's Dockerfile", 512)}

    assert prune(engine, dry_run=True) == told
    assert inspect_image(engine, made) is not None
    assert prune(engine) == told
    assert inspect_image(engine, made) is None
    assert inspect_image(engine, BASE) is not None


def test_an_image_that_was_made_anew(engine: OwnImages) -> None:
    """One that has lost its name to another goes."""
    name = name_image()
    older, newer = engine.build(name), engine.build(name)

    removed = prune(engine)

    assert removed[older.removeprefix("sha256:")[:12]] == ("made anew since", 512)
    assert (inspect_image(engine, older), inspect_image(engine, newer)) == (None, None)


def test_an_image_that_is_used(engine: OwnImages) -> None:
    """That of a container stays, and so does any that is not ours."""
    made = engine.build(name_image())
    others = engine.build(f"windlass-test/pruning:{uuid.uuid4().hex}")
    container = create_container(engine, {"Image": made, "Cmd": ["/bin/sh"]})
    try:
        assert prune(engine) == {}
    finally:
        remove_container(engine, container)

    assert inspect_image(engine, others) is not None
    assert len(prune(engine)) == 1


def test_an_image_that_was_never_finished(engine: OwnImages) -> None:
    """It goes when the process that made it has ended, and not before."""
    ended = subprocess.Popen(["true"])
    running = subprocess.Popen(["sleep", "60"])
    ended.wait()
    try:
        made = engine.build(f"windlass-test/pruning:{uuid.uuid4().hex}")
        names = [f"windlass-test/unfinished:unfinished-{it.pid}" for it in (ended, running)]
        for name in names:
            tag_image(engine, made, name)

        assert list(prune(engine)) == names[:1]
        assert inspect_image(engine, names[1]) is not None
    finally:
        running.kill()
        running.wait()
