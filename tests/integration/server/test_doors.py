"""Every operation through every door, and its effect as seen through another."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runner import describe_runner
from tests.hosted_runs import open_site
from tests.hosted_site import TOKEN
from tests.integration.server.doors import (
    NAMES,
    ClientDoor,
    CommandDoor,
    FunctionDoor,
    RestDoor,
)
from tests.integration.server.hosted_world import BOAT, World
from tests.live_server import running

from windlass.client.client import Client
from windlass.operations.hosted.catalogue import find_operation
from windlass.operations.hosted.runners import register_runner
from windlass.protocol.runner import RegisterRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.integration.server.doors import Door


DOORS = ("function", "rest", "client", "command")
OTHERS = dict(zip(DOORS, (*DOORS[1:], DOORS[0]), strict=True))
"""Through which door the effect of each is seen."""


@dataclass(frozen=True)
class Case:
    """How an operation is used, and by which read its effect is seen.

    `values` are what it is given, `words` the command for it. `seen` is another operation with what
    that is given, and `holds` says whether its answer shows the effect; those without one read, and
    any two doors have to answer the same.
    """

    words: Callable[[Mapping[str, Any]], Sequence[str]]
    values: Callable[[World], dict[str, Any]] = lambda _: {}
    seen: tuple[str, Callable[[World], dict[str, Any]]] | None = None
    holds: Callable[[World, Any, Any], bool] = lambda _world, _before, _answer: True
    read: Callable[[Any], Any] = field(default=lambda answer: answer)
    """What of a command's output is the answer."""


def of_boat(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda _: {**BOAT, **more}


def names(answer: Any, key: str = "name") -> set[str]:
    return {item[key] for item in answer["items"]}


RUN_GOING = lambda world: {"run": world.going}  # noqa: E731
RUN_ENDED = lambda world: {"run": world.ended}  # noqa: E731
NOTHING = lambda _: {}  # noqa: E731
BOAT_OPTION = ("-R", "octo/boat")

CASES: dict[str, Case] = {
    "server.info": Case(lambda _: ["server", "info", "--json"]),
    "runs.list": Case(
        lambda it: ["runs", "--json", *(["--state", it["state"], *BOAT_OPTION] if it else [])],
        lambda _: {"repository": "octo/boat", "state": "running"},
    ),
    "runs.get": Case(lambda it: ["show", it["run"], "--json"], RUN_GOING),
    "runs.cancel": Case(
        lambda it: ["cancel", it["run"]],
        RUN_GOING,
        ("runs.get", RUN_GOING),
        lambda _world, _answer, seen: seen["result"] == "cancelled",
    ),
    "runs.rerun": Case(
        lambda it: ["rerun", it["run"], "--json"],
        RUN_ENDED,
        ("runs.get", RUN_ENDED),
        lambda _world, _answer, seen: (seen["attempt"], seen["state"]) == (2, "running"),
    ),
    "runs.delete": Case(
        lambda it: ["runs", "delete", it["run"]],
        RUN_ENDED,
        ("runs.list", NOTHING),
        lambda world, _answer, seen: names(seen, "run") == {world.going},
    ),
    "statistics.show": Case(
        lambda it: ["stats", "--json", "--last", str(it["last"]), *BOAT_OPTION],
        lambda _: {"repository": "octo/boat", "last": 10},
    ),
    "jobs.list": Case(
        lambda it: ["show", it["run"], "--json"],
        RUN_GOING,
        read=lambda answer: {"items": answer["jobs"]},
    ),
    "jobs.get": Case(
        lambda it: ["show", it["run"], "--json"],
        lambda world: {"run": world.going, "number": 1},
        read=lambda answer: answer["jobs"][0],
    ),
    "logs.read": Case(
        lambda it: ["logs", it["run"], "--json"],
        lambda world: {"run": world.going, "number": 1},
    ),
    "repositories.list": Case(lambda _: ["repos", "list", "--json"]),
    "repositories.get": Case(lambda _: ["repos", "show", "octo/boat", "--json"], of_boat()),
    "repositories.register": Case(
        lambda it: ["repos", "add", it["location"], "--name", it["name"], "--json"],
        lambda world: {"location": str(world.pushed.bare), "name": "octo/raft"},
        ("repositories.list", NOTHING),
        lambda _world, _answer, seen: names(seen) == {"octo/boat", "octo/raft", "octo/spare"},
    ),
    "repositories.update": Case(
        lambda _: ["repos", "set", "octo/boat", "--poll-seconds", "60", "--public-badge", "--json"],
        of_boat(poll_seconds=60, public_badge=True),
        ("repositories.get", of_boat()),
        lambda _world, _answer, seen: (
            (seen["poll_seconds"], seen["public_badge"], seen["host"]) == (60, True, False)
        ),
    ),
    "repositories.remove": Case(
        lambda _: ["repos", "remove", "octo/spare"],
        lambda _: {"owner": "octo", "name": "spare"},
        ("repositories.list", NOTHING),
        lambda _world, _answer, seen: names(seen) == {"octo/boat"},
    ),
    "repositories.renew-webhook-secret": Case(
        lambda _: ["repos", "webhook", "octo/boat", "--json"],
        of_boat(),
        ("repositories.get", of_boat()),
        lambda _world, answer, seen: seen["has_webhook"] and len(answer["secret"]) > 30,
    ),
    "secrets.list": Case(lambda _: ["secrets", "list", "--json", *BOAT_OPTION], of_boat()),
    "secrets.set": Case(
        lambda it: ["secrets", "set", it["key"], *BOAT_OPTION],
        of_boat(key="TOKEN_2", value="hidden"),
        ("secrets.list", of_boat()),
        lambda _world, _answer, seen: (
            names(seen) == {"KEY", "TOKEN_2"} and "hidden" not in str(seen)
        ),
    ),
    "secrets.remove": Case(
        lambda it: ["secrets", "remove", it["key"], *BOAT_OPTION],
        of_boat(key="KEY"),
        ("secrets.list", of_boat()),
        lambda _world, _answer, seen: seen["items"] == [],
    ),
    "variables.list": Case(lambda _: ["variables", "list", "--json", *BOAT_OPTION], of_boat()),
    "variables.set": Case(
        lambda it: ["variables", "set", it["key"], it["value"], *BOAT_OPTION],
        of_boat(key="REGION", value="us"),
        ("variables.list", of_boat()),
        lambda _world, _answer, seen: [it["value"] for it in seen["items"]] == ["us"],
    ),
    "variables.remove": Case(
        lambda it: ["variables", "remove", it["key"], *BOAT_OPTION],
        of_boat(key="REGION"),
        ("variables.list", of_boat()),
        lambda _world, _answer, seen: seen["items"] == [],
    ),
    "dispatches.create": Case(
        lambda it: ["dispatch", it["workflow"], "--json", *BOAT_OPTION],
        of_boat(workflow="deploy.yml"),
        ("runs.list", NOTHING),
        lambda _world, answer, seen: (
            (answer["run"], "Deploy") in {(it["run"], it["workflow"]) for it in seen["items"]}
        ),
    ),
    "dispatches.send-event": Case(
        lambda it: ["events", "send", it["type"], "--payload", "page=index", *BOAT_OPTION],
        of_boat(type="docs", payload={"page": "index"}),
        ("deliveries.list", of_boat()),
        lambda _world, _answer, seen: (
            [it["event"] for it in seen["items"]] == ["repository_dispatch"]
        ),
    ),
    "deliveries.list": Case(lambda _: ["repos", "deliveries", "octo/boat", "--json"], of_boat()),
    "runners.list": Case(lambda _: ["runners", "list", "--json"]),
    "runners.get": Case(
        lambda it: ["runners", "show", it["runner"], "--json"], lambda _: {"runner": "build-1"}
    ),
    "runners.register-token": Case(
        lambda _: ["runners", "token", "--json"],
        NOTHING,
        ("runners.list", NOTHING),
        lambda world, answer, _seen: bool(
            register_runner(
                world.site, RegisterRequest(**describe_runner(answer["token"], "build-2"))
            ).credential
        ),
    ),
    "runners.drain": Case(
        lambda it: ["runners", "drain", it["runner"]],
        lambda _: {"runner": "build-1"},
        ("runners.list", NOTHING),
        lambda _world, _answer, seen: names(seen, "state") == {"draining"},
    ),
    "runners.revoke": Case(
        lambda it: ["runners", "revoke", it["runner"]],
        lambda _: {"runner": "build-1"},
        ("runners.list", NOTHING),
        lambda _world, _answer, seen: names(seen, "state") == {"revoked"},
    ),
    "runners.remove": Case(
        lambda it: ["runners", "remove", it["runner"]],
        lambda world: {"runner": world.runner},
        ("runners.list", NOTHING),
        lambda _world, _answer, seen: seen["items"] == [],
    ),
    "tokens.list": Case(lambda _: ["tokens", "list", "--json"]),
    "tokens.create": Case(
        lambda it: ["tokens", "create", it["name"], "--json"],
        lambda _: {"name": "robot"},
        ("tokens.list", NOTHING),
        lambda _world, answer, seen: (
            names(seen) == {"laptop", "robot"} and answer["token"] not in str(seen)
        ),
    ),
    "tokens.revoke": Case(
        lambda it: ["tokens", "revoke", it["id"]],
        lambda world: {"id": world.token},
        ("tokens.list", NOTHING),
        lambda _world, _answer, seen: seen["items"][0]["revoked"] is not None,
    ),
}


class Doors:
    """All doors of one server; `open` gives one by its name."""

    def __init__(self, world: World, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        self.rest = RestDoor(address)
        self.client = Client(address, TOKEN)
        words = {name: case.words for name, case in CASES.items()}
        self._command = CommandDoor(address, words, monkeypatch)

    def carry_out(self, door: str, name: str, values: Mapping[str, Any]) -> Any:
        opened: dict[str, Door] = {
            "function": FunctionDoor(self._world.site),
            "rest": self.rest,
            "client": ClientDoor(self.client),
            "command": self._command,
        }
        answer = opened[door](name, values)
        return CASES[name].read(answer) if door == "command" else answer

    def close(self) -> None:
        self.rest.close()
        self.client.close()


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Two of the doors are tried on SQLite, two on PostgreSQL."""
    data = tmp_path / "data"
    data.mkdir()
    if request.node.callspec.params["door"] in ("rest", "command"):
        address = request.getfixturevalue("postgres").make_database()
    else:
        address = f"sqlite:///{tmp_path / 'server.db'}"
    with open_site(address, data) as site:
        with site.store.writing() as connection:
            connection.execute("DELETE FROM repositories")
        yield World(site, tmp_path)


@pytest.fixture
def doors(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    with running(world.site) as server:
        opened = Doors(world, server.address, monkeypatch)
        with contextlib.closing(opened):
            yield opened


def agree(one: Any, other: Any) -> bool:
    """Whether two answers say the same, as far as both say it; clocks aside."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = (one.keys() & other.keys()) - {"time", "next"}
        return (one == other or bool(both)) and all(agree(one[key], other[key]) for key in both)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return bool(one == other)


def test_every_operation_has_a_case() -> None:
    """An operation that is added is tried through every door."""
    assert set(CASES) == set(NAMES)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_an_operation_does_the_same_through_every_door(
    world: World, doors: Doors, name: str, door: str
) -> None:
    """What is done through one door is seen through another; what is read is the same there."""
    case = CASES[name]
    values = case.values(world)

    answer = doors.carry_out(door, name, values)

    if case.seen is None:
        assert find_operation(name).effect == "read"
        assert agree(answer, doors.carry_out(OTHERS[door], name, values)), answer
    else:
        seen, given = case.seen
        assert case.holds(world, answer, doors.carry_out(OTHERS[door], seen, given(world)))


@pytest.mark.parametrize("door", ["rest"])
def test_a_dispatch_is_carried_out_once_though_its_server_died(
    world: World, doors: Doors, door: str
) -> None:
    """Whoever asks again under the same key gets the run that the dead server has started."""
    path = "/api/v1/repositories/octo/boat/dispatches"

    def dispatch() -> dict[str, Any]:
        headers = {"Idempotency-Key": "k"}
        answer = doors.rest.http.post(path, json={"workflow": "deploy.yml"}, headers=headers)
        assert answer.status_code == 201, answer.text
        started: dict[str, Any] = answer.json()
        return started

    first = dispatch()
    with world.site.store.writing() as connection:
        connection.execute("UPDATE replies SET status = 0, body = '', created = created - 100")

    assert dispatch()["run"] == first["run"]
    assert len(doors.carry_out(door, "runs.list", {})["items"]) == 3
