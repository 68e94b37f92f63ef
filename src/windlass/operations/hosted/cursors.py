"""Cursors: where the next page of a list begins, as a text that means nothing to others."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, TypeVar

from windlass.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.protocol.api.messages import PageInput

Item = TypeVar("Item")


def write_cursor(*place: float | str) -> str:
    """Return a cursor for the place behind which a page begins."""
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """Return the place that a cursor means; `kinds` are the types of its parts.

    Raises:
        InvalidError: it is not a cursor of such a list.
    """
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise InvalidError(
            "the cursor is not one of this list", hint="begin without one, and use `next`"
        )
    if any("\0" in part for part in place if isinstance(part, str)):
        raise InvalidError("the cursor is not one of this list")
    return tuple(place)


def cut_page(items: Sequence[Item], given: PageInput) -> tuple[list[Item], str | None]:
    """Return the page of a short list that is wanted, and the cursor of the next one."""
    first = 0 if given.cursor is None else max(0, read_cursor(given.cursor, int)[0])
    end = first + given.limit
    return list(items[first:end]), write_cursor(end) if end < len(items) else None
