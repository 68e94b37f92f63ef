"""One question to this API: who asks, what for, and in which form the answer is wanted."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

from windlass.model.values import dataclass
from windlass.services.github_api.refusals import bad_value
from windlass.services.messages import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from windlass.services.catalogue import Means
    from windlass.services.github_api.links import Links
    from windlass.services.jobs import ServedJob


Item = TypeVar("Item")
_MEDIA: Final = re.compile(r"application/vnd\.github\.(?:v3\.)?(raw|diff|patch|sha|object)\b")
_USUAL_SIZE: Final = 30
_LARGEST_SIZE: Final = 100
_MOST_DIGITS: Final = 9
_LONGEST_TEXT: Final = 255


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: `number` counts from 1."""

    number: int
    size: int

    @property
    def range(self) -> slice:
        """The part as a slice."""
        return slice((self.number - 1) * self.size, self.number * self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A reading request of a job.

    `names` are the parts of the path that the route leaves open. `origin` is this server as the
    client named it, `address` where the request went, without its query.
    """

    job: ServedJob
    links: Links
    means: Means
    origin: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    accept: str
    address: str

    @property
    def root(self) -> Path:
        """Where Git finds the repository."""
        return self.means.find_root(self.job)

    @property
    def media(self) -> str:
        """The form the client wants: raw, diff, patch, sha, object; else "" for JSON."""
        match = _MEDIA.search(self.accept)
        return match[1] if match else ""

    @property
    def payload(self) -> Mapping[str, Any]:
        """The event's payload."""
        event: Any = self.job.github.get("event")
        return event if event is not None else {}

    def text(self, name: str) -> str:
        """Return a part of the query that goes to Git as it is, "" where it is missing.

        Raises:
            RequestError: Git takes no such text.
        """
        text = self.query.get(name, "")
        if "\0" in text or len(text) > _LONGEST_TEXT:
            raise bad_value(name, f"a text of at most {_LONGEST_TEXT} characters")
        return text

    def page(self, usual: int = _USUAL_SIZE) -> Page:
        """Return which part of a list is wanted; no client may ask for more than 100 at once.

        Raises:
            RequestError: `page` or `per_page` is no number.
        """
        size = self._number("per_page", usual)
        if size != usual:
            size = min(max(size, 1), _LARGEST_SIZE)
        return Page(max(self._number("page", 1), 1), size)

    def _number(self, name: str, usual: int) -> int:
        text = self.query.get(name, "")
        if not text:
            return usual
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
            raise bad_value(name, "a number")
        return int(text)

    def answer_page(
        self, items: Sequence[Item], make: Callable[[Item], object], key: str = ""
    ) -> Response:
        """Answer with one page of a list; `make` makes the shape of each item.

        With a `key` the list is there in an object, beside `total_count`.
        """
        page = self.page()
        shapes = [make(item) for item in items[page.range]]
        value = {"total_count": len(items), key: shapes} if key else shapes
        return answer(value, headers=self.link_list(page, len(items)))

    def link_list(self, page: Page, total: int) -> dict[str, str]:
        """Return the header `Link` for a page of a list with so many items."""
        last = max(math.ceil(total / page.size), 1)
        return self.link_pages(page, is_last=page.number >= last, last=last)

    def link_pages(self, page: Page, *, is_last: bool, last: int | None = None) -> dict[str, str]:
        """Return the header `Link` with the pages beside one; `last` is left out if not known.

        Source: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        wanted: dict[str, int] = {}
        if page.number > 1:
            wanted |= {"prev": page.number - 1}
        if not is_last:
            wanted |= {"next": page.number + 1, **({} if last is None else {"last": last})}
        if page.number > 1:
            wanted |= {"first": 1}
        links = [f'<{self._address_page(at)}>; rel="{name}"' for name, at in wanted.items()]
        return {"Link": ", ".join(links)} if links else {}

    def _address_page(self, number: int) -> str:
        return f"{self.address}?{urlencode({**self.query, 'page': str(number)})}"


def answer(value: object, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answer in JSON; what is no UTF-8, as in some names of files, has `?` in its place."""
    kind = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Response(200, kind, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def answer_raw(content: bytes, media: str = "raw") -> Response:
    """Answer with bytes as they are."""
    return Response(
        200, {"Content-Type": f"application/vnd.github.{media}; charset=utf-8"}, content
    )
