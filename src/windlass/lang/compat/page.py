"""The reference page of the table."""

from __future__ import annotations

from windlass.lang.compat.feature import Verdict
from windlass.lang.compat.features import all_features

_INTRODUCTION = """\
# What is done as on GitHub, and what is not

`windlass compat` shows which rows of this table the workflows of a repository use. What is refused
stops `windlass run` before the first job starts, with the place in the file; what differs runs.
"""
_TITLES = {
    Verdict.REFUSED: "Refused",
    Verdict.DIFFERS: "Done differently",
    Verdict.HONOURED: "Done as on GitHub",
}


def write_page() -> str:
    """Return the page in Markdown."""
    parts = [_INTRODUCTION]
    for verdict, title in _TITLES.items():
        rows = "".join(
            f"| `{feature.id}` | {feature.title} | {feature.github} | {feature.windlass} |\n"
            for feature in all_features()
            if feature.verdict is verdict
        )
        parts.append(
            f"## {title}\n\n| Id | Feature | GitHub | Windlass |\n|---|---|---|---|\n{rows}"
        )
    return "\n".join(parts)
