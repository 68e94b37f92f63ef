"""Every behaviour of a workflow that is written down here, on real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.behaviour.harness import FOLDER, Behaviour, make_repository, make_template
from tests.behaviour.hosted import HostedBehaviour, ServerHouse, open_house
from tests.behaviour.judging import judge, read_exceptions
from tests.images import provide_job_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "server"
FILES = sorted(FOLDER.glob("*/*.yml"))
ROWS = {
    "needs": "A08",
    "conditions": "A09",
    "matrix": "A10",
    "cancellation": "A17",
    "secrets": "A27",
}
"""The requirement rows that the folders of behaviours prove."""


def _marked(file: Path) -> Any:
    row = ROWS.get(file.parent.name)
    marks = [pytest.mark.requirement(row)] if row else []
    return pytest.param(file, marks=marks, id=f"{file.parent.name}/{file.stem}")


@pytest.fixture
def place(request: pytest.FixtureRequest, file: Path) -> str:
    """Where the behaviour is to be seen (`--place`); for `docker` in an image that is made here."""
    place = str(request.config.getoption("--place"))
    if reason := read_exceptions(place).get(f"{file.parent.name}/{file.stem}"):
        pytest.skip(f"not in a {place}: {reason}")
    if not place.startswith("docker"):
        return place
    engine = request.getfixturevalue("docker")
    return f"docker://{provide_job_image(engine)}" if place == "docker" else place


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHouse]:
    """A server for all behaviours, with a runner in a process of its own."""
    with open_house(tmp_path_factory.mktemp("server")) as house:
        yield house


@pytest.fixture
def behaviour(request: pytest.FixtureRequest, file: Path, place: str) -> Behaviour:
    """The behaviour, to be played in its place."""
    if place == SERVER:
        return HostedBehaviour(file, request.getfixturevalue("house"))
    return Behaviour(file, place)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one empty commit on its branch `main`."""
    return make_template(tmp_path_factory.mktemp("template") / "boat")


@pytest.mark.parametrize("file", [_marked(file) for file in FILES])
def test_behaviour(file: Path, behaviour: Behaviour, template: Path, tmp_path: Path) -> None:
    """The run ends as GitHub's runner would end it, and shows what it would show."""
    report = behaviour.play(make_repository(template, tmp_path / "boat"))
    judge(behaviour, report)


def test_every_behaviour_says_what_it_is_about() -> None:
    """A file starts with the rule and names the source that decides it; no two say the same."""
    heads = [file.read_text(encoding="utf-8").partition("\nexpect:")[0] for file in FILES]
    rules = [head.partition("\ngiven:")[0] for head in heads]

    assert all(rule.startswith("# ") and "Source: " in rule for rule in rules)
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("kind", ["sandbox", "docker", SERVER])
def test_few_behaviours_are_left_out_elsewhere(kind: str) -> None:
    """What cannot be seen in a place is there, has a reason, and is at most one in twenty."""
    names = {f"{file.parent.name}/{file.stem}" for file in FILES}
    exceptions = read_exceptions(kind)

    assert set(exceptions) <= names
    assert all(len(reason) > len("it fails there") for reason in exceptions.values())
    assert len(exceptions) <= len(names) // 20
