"""What a server process tells of itself while it works: figures of what has ended, and traces."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from windlass.observe.ended_attempts import EndedAttempts
from windlass.observe.trace_export import TraceExport, is_wanted
from windlass.server.figures import TRACES, count_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.observe.ended_attempts import EndedAttempt
    from windlass.operations.hosted.site import Site


@contextlib.contextmanager
def observing(site: Site, variables: Mapping[str, str]) -> Iterator[None]:
    """Observe what ends, until the block does; `variables` may name a collector of traces."""
    observers: list[Callable[[EndedAttempt], None]] = [count_attempt]
    with contextlib.ExitStack() as stack:
        if is_wanted(variables):
            export = TraceExport(lambda outcome: TRACES.labels(outcome).inc())
            export.start()
            stack.callback(export.close)
            observers.append(export.observe)
        ended = EndedAttempts(site.store, observers, site.now)
        ended.start()
        stack.callback(ended.close)
        yield
