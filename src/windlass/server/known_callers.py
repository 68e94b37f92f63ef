"""Whose tokens were shown a moment ago: the database is not asked again for each request.

A token that this process revokes counts no more at once, one that expires neither; one that another
process revokes counts for FRESH_SECONDS more.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from windlass.engine.server.changes import TOKENS
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.operations.hosted.callers import Caller, CheckToken
    from windlass.operations.hosted.site import Site

FRESH_SECONDS: Final = 1.0
MOST_CALLERS: Final = 1000


class _Known(NamedTuple):
    caller: Caller
    looked: float
    revocations: int


class KnownCallers:
    """Finds out who shows a token; to be used within one event loop."""

    def __init__(
        self, site: Site, check_token: CheckToken, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._site = site
        self._check_token = check_token
        self._clock = clock
        self._known: dict[bytes, _Known] = {}

    async def find(self, token: str) -> Caller | None:
        """Return whose token it is; None where it is none, has expired or was revoked.

        Raises:
            PlatformError: the database cannot be read.
        """
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        # Counted before the database is asked: what is revoked meanwhile is asked for again.
        revocations, now = self._site.changes.count(TOKENS), self._clock()
        known = self._known.get(digest)
        if known is not None and self._is_fresh(known, revocations, now):
            return known.caller
        caller = await run_in_thread(self._check_token, token)
        if caller is None:
            self._known.pop(digest, None)
            return None
        if len(self._known) >= MOST_CALLERS:
            self._known.clear()
        self._known[digest] = _Known(caller, now, revocations)
        return caller

    def _is_fresh(self, known: _Known, revocations: int, now: float) -> bool:
        expires = known.caller.expires
        return (
            known.revocations == revocations
            and now - known.looked <= FRESH_SECONDS
            and (expires is None or self._site.now() < expires)
        )
