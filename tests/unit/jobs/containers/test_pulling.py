"""Images of a job's containers: what is pulled, by whom, and how often it is tried."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import pytest
from tests.unit.jobs.containers.scripted import ScriptedEngine

from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.jobs.containers.pulling import fetch_image
from windlass.jobs.patience import StartCancelledError
from windlass.plan.containers import Container

MISSING = RefusedError("No such image", status=404)
BUSY = RefusedError("toomanyrequests: You have reached your pull rate limit")
IMAGE = {"Id": "sha256:1"}


def fetch(engine: ScriptedEngine, container: Container, *, gives_up: bool = False) -> list[str]:
    lines: list[str] = []
    fetch_image(engine, container, note=lines.append, pause=lambda _: gives_up)
    return lines


def test_an_image_that_is_there() -> None:
    """No registry is asked for an image that is on the machine."""
    engine = ScriptedEngine([IMAGE])

    assert fetch(engine, Container(image="redis:7")) == ["The image redis:7 is on this machine."]
    assert engine.asked == ["GET /images/redis%3A7/json"]


def test_a_pull() -> None:
    """What the registry says of each layer is told, but not its progress."""
    messages: list[dict[str, Any]] = [
        {"status": "Pulling from library/redis", "id": "7"},
        {"status": "Downloading", "id": "abc", "progressDetail": {"current": 1}},
        {"status": "Status: Downloaded newer image for redis:7"},
    ]
    engine = ScriptedEngine([MISSING, messages])

    assert fetch(engine, Container(image="redis:7")) == [
        "Pulling redis:7",
        "7: Pulling from library/redis",
        "Status: Downloaded newer image for redis:7",
    ]
    assert engine.told == [{}]


def test_credentials() -> None:
    """They go to the image's own registry, in the header that the API has for them."""
    container = Container(image="ghcr.io/octo/cat", username="mona", password="hunter2")
    engine = ScriptedEngine([MISSING, []])

    fetch(engine, container)

    (told,) = engine.told
    assert json.loads(base64.urlsafe_b64decode(told["X-Registry-Auth"])) == {
        "username": "mona",
        "password": "hunter2",
        "serveraddress": "ghcr.io",
    }


@pytest.mark.parametrize(("username", "password"), [("mona", ""), ("", "hunter2")])
def test_half_of_credentials(username: str, password: str) -> None:
    """Half of them is nobody, as in GitHub's runner."""
    engine = ScriptedEngine([MISSING, []])

    fetch(engine, Container(image="a", username=username, password=password))

    assert engine.told == [{}]


def test_a_registry_that_is_busy() -> None:
    """It is asked three times; each time that it refuses is told."""
    engine = ScriptedEngine([MISSING, BUSY])
    lines: list[str] = []

    with pytest.raises(RefusedError, match="pull rate limit"):
        fetch_image(engine, Container(image="a"), note=lines.append, pause=lambda _: False)

    assert len(engine.told) == 3
    assert [line.partition(",")[0] for line in lines] == [
        "Pulling a",
        *["##[warning]Docker pull failed: toomanyrequests: You have reached your pull rate limit"]
        * 2,
    ]


def test_a_registry_that_answers_the_second_time() -> None:
    """A pull that works in the end is a pull."""
    engine = ScriptedEngine([MISSING, BUSY, []])

    assert len(fetch(engine, Container(image="a"))) == 2


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("manifest for a:1 not found: manifest unknown", status=404),
        RefusedError("pull access denied for a"),
        RefusedError("unauthorized: authentication required"),
        RefusedError("dial tcp: lookup a.invalid: no such host"),
    ],
    ids=str,
)
def test_what_another_try_cannot_change(error: RefusedError) -> None:
    """Nobody waits where the answer will be the same."""
    engine = ScriptedEngine([MISSING, error])

    with pytest.raises(RefusedError):
        fetch(engine, Container(image="a"))

    assert len(engine.told) == 1


def test_a_job_that_is_to_end() -> None:
    """It does not wait for a registry."""
    with pytest.raises(StartCancelledError):
        fetch(ScriptedEngine([MISSING, BUSY]), Container(image="a"), gives_up=True)


def test_a_job_that_is_cancelled_in_the_midst_of_a_pull() -> None:
    """The daemon is hung up on, however long it says nothing, and asked no second time."""
    lines: list[str] = []
    engine = SilentEngine()

    with pytest.raises(StartCancelledError):
        fetch_image(
            engine, Container(image="a"), note=lines.append, pause=lambda _: engine.asks.is_set()
        )

    assert lines == ["Pulling a"]


class SilentEngine(ScriptedEngine):
    """A daemon that waits for a registry until it is hung up on."""

    def __init__(self) -> None:
        super().__init__([MISSING])
        self.asks = threading.Event()
        self.hung_up = threading.Event()

    def follow(self, *_: Any, **__: Any) -> Any:
        self.asks.set()
        assert self.hung_up.wait(60)
        raise DaemonGoneError("it went away")

    def hang_up(self) -> None:
        self.hung_up.set()
