"""Tokens are looked up once a second, and count no longer than they should."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import make_site

from windlass.engine.server.changes import TOKENS
from windlass.model.values import replace
from windlass.operations.hosted.callers import Caller
from windlass.operations.hosted.tokens import create_token, revoke_token
from windlass.server.known_callers import FRESH_SECONDS, KnownCallers
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site


class Tokens:
    """The tokens that count, and how often somebody asked for one."""

    def __init__(self, **known: Caller) -> None:
        self.known = known
        self.asked = 0

    def check(self, token: str) -> Caller | None:
        self.asked += 1
        return self.known.get(token)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield replace(made, now=clock.now)
    made.store.close()


def test_a_token_that_is_shown_again(site: Site, clock: ManualClock) -> None:
    """Within a second nobody is asked; after that, what another process revoked is found."""
    tokens = Tokens(ada=Caller("1", "Ada"))
    callers = KnownCallers(site, tokens.check, clock=clock.now)

    assert [asyncio.run(callers.find("ada")) for _ in range(3)] == [Caller("1", "Ada")] * 3
    assert tokens.asked == 1
    tokens.known.clear()
    clock.advance(FRESH_SECONDS)
    assert asyncio.run(callers.find("ada")) is not None
    clock.advance(0.01)
    assert asyncio.run(callers.find("ada")) is None


def test_a_token_that_is_none(site: Site, clock: ManualClock) -> None:
    """It is asked for each time: it may be made meanwhile."""
    tokens = Tokens()
    callers = KnownCallers(site, tokens.check, clock=clock.now)

    assert asyncio.run(callers.find("ada")) is None
    tokens.known["ada"] = Caller("1", "Ada")
    assert asyncio.run(callers.find("ada")) == Caller("1", "Ada")


def test_a_token_that_is_revoked(site: Site, clock: ManualClock) -> None:
    """What this process revokes counts no more from that moment on."""
    made = create_token(site, "laptop")
    tokens = Tokens(**{made.text: Caller(made.row.id, "laptop")})
    callers = KnownCallers(site, tokens.check, clock=clock.now)

    assert asyncio.run(callers.find(made.text)) is not None
    tokens.known.clear()
    revoke_token(site, made.row.id)
    assert asyncio.run(callers.find(made.text)) is None


def test_a_token_that_is_revoked_while_it_is_looked_up(site: Site, clock: ManualClock) -> None:
    """What was found before the revocation is not remembered after it."""
    tokens = Tokens(ada=Caller("1", "Ada"))

    def check(token: str) -> Caller | None:
        found = tokens.check(token)
        site.changes.tell(TOKENS)
        return found

    callers = KnownCallers(site, check, clock=clock.now)

    asyncio.run(callers.find("ada"))
    asyncio.run(callers.find("ada"))
    assert tokens.asked == 2


def test_a_token_that_expires(site: Site, clock: ManualClock) -> None:
    """It is asked for again from that moment on, by the server's clock."""
    tokens = Tokens(ada=Caller("1", "Ada", expires=0.5))
    callers = KnownCallers(site, tokens.check, clock=clock.now)

    asyncio.run(callers.find("ada"))
    clock.advance(0.4)
    asyncio.run(callers.find("ada"))
    assert tokens.asked == 1
    clock.advance(0.1)
    asyncio.run(callers.find("ada"))
    assert tokens.asked == 2
