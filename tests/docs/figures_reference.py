"""Lays out the table of figures in docs/guides/watching-the-server.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.hosted_site import make_site

from windlass.server.figures import REGISTRY
from windlass.server.metrics import SiteFigures

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = "<!-- figures: "
END = "<!-- end of the figures -->"
OURS = "windlass_"


def lay_out_guide(page: str, folder: Path) -> str:
    """The page with the table as it is now; `folder` is a place for a server's data."""
    head, begin, rest = page.partition(BEGIN)
    comment, newline, rest = rest.partition("\n")
    _, end, tail = rest.partition(END)
    assert begin, "the page has no place for the table"
    assert end, "the place for the table does not end"
    return head + begin + comment + newline + lay_out_table(folder) + end + tail


def lay_out_table(folder: Path) -> str:
    site = make_site(folder)
    found: dict[str, tuple[str, tuple[str, ...], str]] = {}
    for figure in list(REGISTRY._collector_to_names):
        labels = tuple(getattr(figure, "_labelnames", ()))
        found |= {it.name: (it.type, labels, it.documentation) for it in figure.collect()}
    for family in SiteFigures(site).collect():
        known: Any = family
        found[family.name] = (family.type, tuple(known._labelnames), family.documentation)
    site.store.close()
    rows = [
        f"| `{name}{'_total' if kind == 'counter' else ''}` | {kind} "
        f"| {', '.join(f'`{label}`' for label in labels)} | {text} |\n"
        for name, (kind, labels, text) in sorted(found.items())
        if name.startswith(OURS)
    ]
    return "| figure | kind | labels | what it is |\n|---|---|---|---|\n" + "".join(rows)
