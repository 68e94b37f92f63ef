"""Comments that switch a rule off for a line: `# windlass: ignore[rule-id, other-rule]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.lang.diagnostics import Diagnostic

_COMMENT = re.compile(r"#\s*windlass:\s*ignore\[([^\]\n]*)\]")


def without_ignored(findings: Iterable[Diagnostic], text: str) -> tuple[Diagnostic, ...]:
    """Leave out findings whose line, or the line above, has a comment that names their rule.

    A comment above counts if it stands alone in its line.
    """
    ignored = _ignored_lines(text)
    if not ignored:
        return tuple(findings)
    return tuple(
        finding
        for finding in findings
        if finding.span is None
        or finding.code not in ignored.get(finding.span.start.line, frozenset())
    )


def _ignored_lines(text: str) -> dict[int, frozenset[str]]:
    if "windlass:" not in text:
        return {}
    ignored: dict[int, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        found = _COMMENT.search(line)
        if found is None:
            continue
        codes = frozenset(code.strip() for code in found[1].split(","))
        stands_alone = line.lstrip().startswith("#")
        place = number + 1 if stands_alone else number
        ignored[place] = ignored.get(place, frozenset()) | codes
    return ignored
