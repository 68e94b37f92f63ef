"""Badges: in a word and a colour, how the newest run of a workflow at a branch has ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from windlass.db.repositories import find_repository_named
from windlass.db.runs import find_last_end
from windlass.errors import MissingError
from windlass.events.checkouts import WORKFLOWS
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.operations.hosted.repository_settings import read_settings

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site

_GREEN: Final = "#1a7f37"
_RED: Final = "#cf222e"
_GREY: Final = "#57606a"
_DARK: Final = "#24292f"
"""White letters on each of them have a contrast of 4.5 or more: https://www.w3.org/TR/WCAG22"""

_WORDS: Final = {
    Result.SUCCESS: ("passing", _GREEN),
    Result.FAILURE: ("failing", _RED),
    Result.CANCELLED: ("cancelled", _GREY),
    Result.SKIPPED: ("skipped", _GREY),
}
_NOTHING: Final = ("no status", _GREY)
_UNWRITABLE: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write."""

_MOST_LETTERS: Final = 60
_NARROW: Final = frozenset("iljftrI.,:;'|!()[] ")
_WIDE: Final = frozenset("mwMW@%")
_FONT: Final = "Verdana,DejaVu Sans,sans-serif"


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says, and in which colour."""

    label: str
    word: str
    colour: str


def find_badge(site: Site, name: str, workflow: str, *, branch: str = "", known: bool) -> Badge:
    """Return the badge of a workflow file at a branch, the default branch where it is empty.

    `known` says that whoever asks has shown an access token; others see what is for everybody.

    Raises:
        MissingError: there is no such repository, or it is not for everybody.
    """
    row = find_repository_named(site.store, name)
    if row is None or not (known or read_settings(row.settings).public_badge):
        raise MissingError(f"there is no public badge of '{name}'")
    ref = f"refs/heads/{branch or row.default_branch}"
    for ending in ("",) if workflow.endswith((".yml", ".yaml")) else (".yml", ".yaml"):
        found = find_last_end(site.store, row.id, f"{WORKFLOWS}/{workflow}{ending}", ref)
        if found is not None and found.result is not None:
            label = workflow if found.run.workflow == found.run.path else found.run.workflow
            return Badge(label, *_WORDS[found.result])
    return Badge(workflow, *_NOTHING)


def draw_badge(badge: Badge) -> str:
    """Return a badge as an SVG image, which says what it shows to those who cannot see it."""
    label = _UNWRITABLE.sub("", badge.label)[:_MOST_LETTERS]
    left, right = measure(label) + 12, measure(badge.word) + 12
    width, said = left + right, f"{label}: {badge.word}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" '
        f'viewBox="0 0 {width} 20" role="img" aria-label={quoteattr(said)}>'
        f"<title>{escape(said)}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="{badge.colour}"/>'
        f'<path d="M3 0h{left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="{_DARK}"/>'
        f'<g fill="#fff" font-family="{_FONT}" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(badge.word)}</text></g></svg>\n'
    )


def measure(text: str) -> int:
    """Return about how many pixels a text takes in an 11-pixel Verdana."""
    return round(sum(4.2 if it in _NARROW else 10.2 if it in _WIDE else 7.0 for it in text))
