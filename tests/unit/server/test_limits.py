"""Whoever asks too often is told to wait, and nobody else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.hosted_site import ADDRESS, TOKEN, ask

from windlass.operations.hosted.callers import Caller
from windlass.server import rates
from windlass.server.app import make_app
from windlass.server.exposure import Exposure
from windlass.server.rates import Buckets, Rate
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site

pytestmark = [pytest.mark.requirement("P06"), pytest.mark.usefixtures("rates_at_rest")]
RUNS = "/api/v1/runs"


def limited(site: Site, per_second: float, token: str = TOKEN) -> TestClient:
    def check(text: str) -> Caller | None:
        return Caller(text, text) if text.startswith("wlt_") else None

    app = make_app(site, check, exposure=Exposure(per_second=per_second))
    return TestClient(app, base_url=ADDRESS, headers={"Authorization": f"Bearer {token}"})


def test_a_bucket_empties_and_fills() -> None:
    """What two seconds allow may come at once, and then one whenever there is room for it."""
    clock = ManualClock()
    buckets = Buckets(Rate("token", 2.0), clock.now)

    assert [buckets.take("a").left for _ in range(4)] == [3, 2, 1, 0]
    assert [buckets.take("a").wait for _ in range(3)] == [0.5] * 3
    assert buckets.take("b").wait == 0
    clock.advance(0.5)
    assert [buckets.take("a").wait for _ in range(2)] == [0, 0.5]
    clock.advance(1000)
    assert [buckets.take("a").wait for _ in range(5)] == [0, 0, 0, 0, 0.5]


def test_a_steady_rate_is_kept_for_long() -> None:
    """Small times add up to no error: whoever asks as often as allowed is never refused."""
    clock = ManualClock()
    buckets = Buckets(Rate("token", 3.0), clock.now)

    for _ in range(10_000):
        assert buckets.take("a").wait == 0
        clock.advance(1 / 3)


def test_a_rate_below_one_a_second() -> None:
    """One may come at a time, and the seconds until the next are told."""
    clock = ManualClock()
    buckets = Buckets(Rate("token", 0.1), clock.now)

    assert buckets.take("a").wait == 0
    clock.advance(4)
    assert buckets.take("a").wait == pytest.approx(6)


def test_many_who_ask_are_forgotten_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not asked for longest is; an attack from many addresses fills no memory."""
    monkeypatch.setattr(rates, "MOST_BUCKETS", 2)
    buckets = Buckets(Rate("address", 0.5), ManualClock().now)

    assert [buckets.take(it).wait for it in "abca"] == [0, 0, 0, 0]
    assert buckets.take("c").wait > 0


def test_an_answer_says_what_is_left(site: Site) -> None:
    """As the draft of the IETF has it, also one that refuses."""
    client = limited(site, 0.5)

    first, second = client.get(RUNS), client.get(RUNS)

    assert first.headers["ratelimit-policy"] == '"token";q=1;w=2'
    assert first.headers["ratelimit"] == '"token";r=0;t=2'
    assert (second.status_code, second.headers["retry-after"]) == (429, "2")
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["ratelimit"].startswith('"token";r=0;t=')
    assert second.json()["detail"] == "more than 0.5 requests a second come from one token"


def test_tokens_do_not_wait_for_each_other(site: Site) -> None:
    """Each has a rate of its own, as long as their address has something left."""
    client = limited(site, 1.0)
    shown = [{"Authorization": f"Bearer wlt_{name}"} for name in "aaabb"]

    answers = [client.get(RUNS, headers=it) for it in shown]

    assert [it.status_code for it in answers] == [200, 200, 429, 200, 429]
    assert "one token" in answers[2].json()["detail"]
    assert "one address" in answers[4].json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", RUNS, [401, 401, 429]),
        ("GET", "/metrics", [401, 401, 429]),
        ("POST", "/hooks/github/octo/boat", [403, 429, 429]),
    ],
    ids=["api", "metrics", "hooks"],
)
def test_an_address_that_shows_nothing(
    site: Site, method: str, path: str, expected: list[int]
) -> None:
    """Guesses at tokens and forged webhooks are refused before anything is looked up."""
    client = limited(site, 0.5, token="none")

    assert [client.request(method, path).status_code for _ in range(3)] == expected


@pytest.mark.parametrize("path", ["/health", "/runner/v1/poll", "/badges/octo/boat/ci.yml.svg"])
def test_what_is_not_counted(site: Site, path: str) -> None:
    """Health, badges and what runners say: a job does not fail because a script runs wild."""
    client = limited(site, 0.1)

    assert 429 not in [client.post(path).status_code for _ in range(5)]


def test_a_web_socket_that_comes_too_soon(site: Site) -> None:
    """It is closed before it is opened."""
    client = limited(site, 0.1)
    client.get(RUNS)

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/live"):
        pass


def test_no_limit(site: Site) -> None:
    """Where none is given, nothing is counted and nothing is said of it."""
    answers = [ask(site).get(RUNS) for _ in range(5)]

    assert {it.status_code for it in answers} == {200}
    assert not [it for it in answers if "ratelimit" in it.headers]
