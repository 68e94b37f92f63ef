"""Work that waits for a database or a disk, done by a thread so that the event loop goes on."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

MOST_THREADS: Final = 40
"""So many requests wait for the database at a time, and the others for them."""


async def run_in_thread(function: Callable[..., Answer], *values: object) -> Answer:
    """Call a function in a thread, with the context of whoever asks, and return what it returns.

    A thread of the standard library's pool costs a third of one of anyio's, which Starlette uses.
    """
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), context.run, function, *values)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_THREADS, "request")
