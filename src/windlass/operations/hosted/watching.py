"""What a server does about events by itself: effects of deliveries, looks at repositories, time.

Whoever composes a server gives `list_handlers` to its effects, and starts an `EventWatch`.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.db.followers import FOLLOW
from windlass.db.reports import REPORT
from windlass.db.repositories import claim_poll, find_repository, list_polls
from windlass.engine.effects.tries import MOST_TRIES
from windlass.errors import PlatformError, UsageError, WindlassError
from windlass.events.rounds import Rounds
from windlass.events.schedules import CATCH_UP_SECONDS
from windlass.jobs.clock import SYSTEM_CLOCK
from windlass.operations.hosted.deliveries import (
    DELIVERY,
    give_up_delivery,
    process_delivery,
    put_off_delivery,
)
from windlass.operations.hosted.followers import follow_run
from windlass.operations.hosted.pushes import look
from windlass.operations.hosted.reports import report_attempt
from windlass.operations.hosted.repositories import REFRESH, fetch_repository
from windlass.operations.hosted.repository_settings import read_settings
from windlass.operations.hosted.schedules import (
    fire_schedules,
    read_schedules,
    realign_schedules,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.db.repositories import PollRow
    from windlass.engine.effects.interface import Effect, Handler
    from windlass.jobs.clock import Clock
    from windlass.operations.hosted.site import Site

CATCH_UP_VARIABLE: Final = "WINDLASS_SCHEDULE_CATCH_UP"
ROUND_SECONDS: Final = 1.0
_WORKERS: Final = 4
_LATE_WORKERS: Final = 2
"""For repositories that could not be reached the last time: they may take their time to fail."""

_BACK_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


def list_handlers(site: Site) -> Mapping[str, Handler]:
    """Return what carries out the effects of events, by their kinds."""

    def handle_delivery(effect: Effect) -> None:
        delivery = effect.payload["delivery"]
        try:
            process_delivery(site, delivery)
        except PlatformError as error:
            if effect.tries + 1 < MOST_TRIES:
                raise
            # An effect is given up after some minutes; who cannot be reached may be down for hours.
            put_off_delivery(site, delivery, error)
        except Exception as error:
            if effect.tries + 1 >= MOST_TRIES:
                # Nobody comes back to it, and what is not settled is never forgotten.
                give_up_delivery(site, delivery, error)
            raise

    def handle_refresh(effect: Effect) -> None:
        refresh_repository(site, effect.payload["repository"])

    def handle_report(effect: Effect) -> None:
        report_attempt(site, effect.payload["run"], effect.payload["attempt"])

    def handle_follow(effect: Effect) -> None:
        told = effect.payload
        follow_run(site, told["run"], told["attempt"], told["moment"])

    return {
        DELIVERY: handle_delivery,
        REFRESH: handle_refresh,
        REPORT: handle_report,
        FOLLOW: handle_follow,
    }


def read_catch_up(variables: Mapping[str, str]) -> float:
    """Return the seconds by which a time of a schedule may have been missed and is made up for.

    Raises:
        UsageError: the variable that says so holds no number of seconds.
    """
    text = variables.get(CATCH_UP_VARIABLE, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise UsageError(f"{CATCH_UP_VARIABLE} is '{text}'", hint="give seconds, 0 for never")
    return float(text) if text else CATCH_UP_SECONDS


def refresh_repository(site: Site, repository: str) -> None:
    """Fetch a repository and read its schedules; nothing where it is gone.

    Raises:
        PlatformError: the repository or the database cannot be reached.
    """
    row = find_repository(site.store, repository)
    if row is not None:
        mirrors = fetch_repository(site, row)
        read_schedules(site, mirrors, row)


class EventWatch:
    """Looks at the repositories whose turn it is, and fires schedules, while it is started.

    All servers on one database share that: each look and each time is one server's. `catch_up` is
    how long ago a time may have been that is made up for, `seconds` how often it is asked what is
    due.
    """

    def __init__(
        self,
        site: Site,
        *,
        clock: Clock = SYSTEM_CLOCK,
        submit: Callable[[Callable[[], None]], object] | None = None,
        catch_up: float = CATCH_UP_SECONDS,
        seconds: float = ROUND_SECONDS,
    ) -> None:
        self._site = site
        self._catch_up = catch_up
        self._pools: list[ThreadPoolExecutor] = []
        # No remote keeps the time, or the looks at others, waiting.
        go_round = submit or self._make_pool(2, "rounds")
        self._submit_look = submit or self._make_pool(_WORKERS, "looks")
        self._submit_late = submit or self._make_pool(_LATE_WORKERS, "late-looks")
        self._rounds = (
            Rounds(clock, seconds, self._poll, go_round),
            Rounds(clock, seconds, self._tell_time, go_round),
        )
        self._lock = threading.Lock()
        self._looking: set[str] = set()
        """The repositories that are looked at, or are about to be."""
        self._late: set[str] = set()
        """Those that could not be reached the last time."""
        self._last = 0.0

    def start(self) -> None:
        """Begin."""
        for rounds in self._rounds:
            rounds.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way is done again by whoever starts next."""
        for rounds in self._rounds:
            rounds.stop()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _make_pool(self, workers: int, name: str) -> Callable[[Callable[[], None]], object]:
        """Return what has something done by one of so many threads."""
        pool = ThreadPoolExecutor(workers, name)
        self._pools.append(pool)

        def submit(go: Callable[[], None]) -> None:
            try:
                pool.submit(go)
            except RuntimeError:
                return  # it was shut down meanwhile

        return submit

    def _poll(self) -> None:
        """Have those repositories looked at whose turn it is."""
        with _logged("repositories cannot be looked at"):
            for row in list_polls(self._site.store):
                if self._is_due(row):
                    with self._lock:
                        self._looking.add(row.id)
                        is_late = row.id in self._late
                    submit = self._submit_late if is_late else self._submit_look
                    submit(partial(self._look, row))

    def _is_due(self, row: PollRow) -> bool:
        seconds = read_settings(row.settings).poll_seconds
        if not seconds or row.id in self._looking:
            return False
        now, polled = self._site.now(), row.polled or 0.0
        # A clock that was set back must not keep anybody from looking.
        return not polled <= now < polled + seconds

    def _look(self, row: PollRow) -> None:
        is_reached = False
        try:
            with _logged(f"the repository {row.id} cannot be looked at"):
                with self._site.store.writing() as connection:
                    claimed = claim_poll(connection, row, self._site.now())
                found = find_repository(self._site.store, row.id)
                if claimed and found is not None:
                    look(self._site, found)
                is_reached = True
        finally:
            with self._lock:
                self._looking.discard(row.id)
                (self._late.discard if is_reached else self._late.add)(row.id)

    def _tell_time(self) -> None:
        """Fire what is due; where the clock was set back, what is due is found anew."""
        with _logged("schedules cannot be told the time"):
            now = self._site.now()
            if not self._last or now < self._last - _BACK_SECONDS:
                realign_schedules(self._site)
            self._last = now
            fire_schedules(self._site, self._catch_up)


@contextmanager
def _logged(problem: str) -> Iterator[None]:
    """Log what goes wrong, and go on: the next round tries again."""
    try:
        yield
    except WindlassError as error:
        _log.warning("%s: %s", problem, error.message)
    except Exception:  # noqa: BLE001 (a worker's boundary: nobody else would tell)
        _log.exception("%s", problem)
