"""What workflows do is the same over a server as it is for `windlass run`.

Here are those behaviours in which a server has a part; `./dev places server` plays all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.behaviour.harness import FOLDER, make_repository, make_template
from tests.behaviour.hosted import HostedBehaviour, ServerHouse, open_house
from tests.behaviour.judging import judge, read_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVED = ("needs", "calls", "concurrency", "cancellation", "events", "reruns", "secrets")
FILES = [file for folder in SERVED for file in sorted((FOLDER / folder).glob("*.yml"))]
EXCEPTIONS = read_exceptions("server")


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHouse]:
    """A server for all behaviours, with a runner in a process of its own."""
    with open_house(tmp_path_factory.mktemp("server")) as house:
        yield house


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one empty commit on its branch `main`."""
    return make_template(tmp_path_factory.mktemp("template") / "boat")


@pytest.mark.requirement("T02")
@pytest.mark.parametrize(
    "file", [pytest.param(it, id=name(it)) for it in FILES if name(it) not in EXCEPTIONS]
)
def test_a_server_runs_it_alike(
    file: Path, house: ServerHouse, template: Path, tmp_path: Path
) -> None:
    """The run ends as it does without a server, and shows what it shows there."""
    behaviour = HostedBehaviour(file, house)

    report = behaviour.play(make_repository(template, tmp_path / "boat"))

    judge(behaviour, report)
