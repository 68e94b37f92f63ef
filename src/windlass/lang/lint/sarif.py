"""Findings as SARIF 2.1.0, which code-scanning services read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.catalogue import all_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.positions import Span

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}


def write_sarif(findings: Sequence[Diagnostic], *, version: str) -> dict[str, Any]:
    """Return a SARIF log with one run; `version` is that of Windlass."""
    known = {rule.code: rule for rule in all_rules()}
    codes = sorted({*known, *(finding.code for finding in findings)})
    rules: list[dict[str, Any]] = []
    for code in codes:
        rule: dict[str, Any] = {"id": code}
        if code in known:
            rule["shortDescription"] = {"text": known[code].summary}
            rule["fullDescription"] = {"text": known[code].text.strip().partition("\n")[0]}
            rule["help"] = {"text": known[code].text.strip(), "markdown": known[code].text.strip()}
            rule["defaultConfiguration"] = {"level": _LEVELS[known[code].severity]}
        rules.append(rule)
    driver = {"name": "windlass", "version": version, "rules": rules}
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Diagnostic, index: int) -> dict[str, Any]:
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.span)] if finding.span is not None else [],
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(related.span), "id": number, "message": {"text": related.message}}
            for number, related in enumerate(finding.related, start=1)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(span.path)},
            "region": {
                "startLine": span.start.line,
                "startColumn": span.start.column,
                "endLine": max(span.end.line, span.start.line),
                "endColumn": max(span.end.column, 1),
            },
        }
    }
