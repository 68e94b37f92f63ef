"""Say what in these workflows would not be honoured exactly as GitHub does.

Refused means that a run ends before any job starts; differs means that it runs, but not in every
respect as on GitHub. Ends with 1 if anything is refused.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.cli.diagnostics import (
    Sources,
    diagnostic_as_json,
    exit_code_for,
    print_diagnostics,
    span_as_json,
)
from windlass.cli.terminal import open_terminal, visible
from windlass.lang.compat import Verdict
from windlass.operations.compat import survey_workflows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Style, Terminal
    from windlass.lang.compat import Feature, FeatureUse
    from windlass.operations.compat import CompatReport

REFUSED_EXIT_CODE = 1
MOST_PLACES = 5
STYLES: dict[Verdict, Style] = {
    Verdict.REFUSED: "red",
    Verdict.DIFFERS: "yellow",
    Verdict.HONOURED: "green",
}


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass compat`."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="workflow files or folders of them; default: the repository here",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print what differs; 1 if anything is refused or a file has errors."""
    report = survey_workflows(arguments.paths, root=Path())
    terminal = open_terminal(sys.stdout)
    if arguments.json:
        terminal.write(json.dumps(_as_json(report), indent=2) + "\n")
    else:
        print_diagnostics(open_terminal(sys.stderr), report.diagnostics, Sources(report.root))
        terminal.write("\n".join(_lines(report, terminal)) + "\n")
    return REFUSED_EXIT_CODE if report.is_refused else exit_code_for(report.diagnostics)


def _lines(report: CompatReport, terminal: Terminal) -> Iterator[str]:
    count = len(report.files)
    files = f"{count} workflow{'s' * (count != 1)}"
    if report.unread:
        yield terminal.paint(f"{report.unread} of {files} could not be read", "red")
    if not report.uses:
        if report.unread < count:
            everything = files if not report.unread else "the others"
            yield terminal.paint(f"everything in {everything} is honoured as on GitHub", "green")
        return
    features = _by_feature(report.uses)
    for uses in features:
        yield from _feature_lines(uses, terminal)
        yield ""
    verdicts = Counter(uses[0].feature.verdict for uses in features)
    counts = ", ".join(
        terminal.paint(f"{verdicts[verdict]} {verdict}", STYLES[verdict])
        for verdict in (Verdict.REFUSED, Verdict.DIFFERS)
        if verdicts[verdict]
    )
    yield f"{files}, features: {counts}"


def _by_feature(uses: Iterable[FeatureUse]) -> list[list[FeatureUse]]:
    """Group the uses by feature: first what is refused, then what differs."""
    features: dict[str, list[FeatureUse]] = {}
    for use in uses:
        features.setdefault(use.feature.id, []).append(use)
    return sorted(features.values(), key=lambda group: group[0].feature.verdict != Verdict.REFUSED)


def _feature_lines(uses: Sequence[FeatureUse], terminal: Terminal) -> Iterator[str]:
    feature = uses[0].feature
    verdict = terminal.paint(f"{feature.verdict}:", "bold", STYLES[feature.verdict])
    yield f"{verdict} {terminal.paint(feature.title, 'bold')}"
    yield f"  GitHub:   {feature.github}"
    yield f"  Windlass: {feature.windlass}"
    for found in uses[:MOST_PLACES]:
        place = terminal.paint(f"{visible(str(found.use.span))}", "dim")
        yield f"    {place}  {visible(found.use.subject)}"
    if len(uses) > MOST_PLACES:
        yield terminal.paint(f"    and {len(uses) - MOST_PLACES} more places", "dim")
    if remarks := dict.fromkeys(found.use.remark for found in uses if found.use.remark):
        yield "  Tried as published:"
        yield from (f"    {remark}" for remark in remarks)


def _as_json(report: CompatReport) -> dict[str, Any]:
    return {
        "files": report.files,
        "features": [_feature_as_json(uses) for uses in _by_feature(report.uses)],
        "diagnostics": [diagnostic_as_json(diagnostic) for diagnostic in report.diagnostics],
    }


def _feature_as_json(uses: Sequence[FeatureUse]) -> dict[str, Any]:
    feature: Feature = uses[0].feature
    return {
        "id": feature.id,
        "title": feature.title,
        "verdict": str(feature.verdict),
        "github": feature.github,
        "windlass": feature.windlass,
        "places": [
            {
                "subject": found.use.subject,
                **({"tried": found.use.remark} if found.use.remark else {}),
                **span_as_json(found.use.span),
            }
            for found in uses
        ],
    }
