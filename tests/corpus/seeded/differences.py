"""The seeded defects that only one of Windlass and actionlint finds, and why a finding is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tests.corpus.seeded.defects import Defect

HEADING = "## Seeded defects on which the two differ"
ARGUMENTS = {
    "action-metadata": "The runner refuses the action's file or loses the value; actionlint reads "
    "of an action only its inputs and outputs.",
    "background": "GitHub's parser or the runner refuses the step; actionlint does not know "
    "background steps and refuses every one of them, right or wrong.",
    "comparison": "The value is one of a fixed set or of another type, so the comparison has the "
    "same outcome in every run; actionlint compares types of operands loosely.",
    "events": "`workflow_run` matches by name, so it never starts; actionlint looks at one file "
    "at a time.",
    "file": "The step fails in every run: the file is not in the commit and nothing before makes "
    "it; actionlint looks into no script.",
    "filters": "By GitHub's rules for patterns the list lets nothing through, so the event never "
    "starts the workflow; actionlint checks the syntax of a pattern only.",
    "if": "The condition has one outcome, whatever happens; actionlint finds only constants "
    "around `${{ }}`.",
    "local-action": "The job fails when it prepares its steps; actionlint passes over a folder "
    "without an `action.yml`, and does not know `$/`.",
    "outputs": "The output is the empty string in every run, since the only script that could "
    "does not write it; actionlint looks into no script.",
    "properties": "The member does not exist, so the value is null; actionlint takes `strategy` "
    "for an open object.",
    "reusable": "GitHub refuses the call, or the runner finds no action in a workflow's file; "
    "actionlint takes a text for a boolean and does not look at the path.",
    "schema": "GitHub's schema has two values for the key; actionlint refuses the key itself, "
    "right or wrong.",
    "services": "Docker refuses the port, or the service does not exist; actionlint does not look "
    "at ports and takes `job.services` for an open object.",
    "timeout": "The runner cuts fractions off and takes 0 minutes for no limit; actionlint asks "
    "for more than 0.",
    "uses": "The server's syntax of `uses` has no such form; actionlint does not look behind "
    "`docker://` and refuses every `$/`.",
    "yaml": "The file is no YAML; actionlint says so too, but on a line far from the mistake or "
    "on none.",
}
"""By category: why what Windlass reports is a defect, and why actionlint does not see it."""


def write_differences(defects: Iterable[Defect], found: Collection[str]) -> str:
    """Return the section of actionlint.md; `found` are the ids of what Windlass finds."""
    defects = tuple(defects)
    ours = [one for one in defects if one.id in found and not one.actionlint]
    theirs = [one for one in defects if one.id not in found and one.actionlint]
    neither = [one for one in defects if one.id not in found and not one.actionlint]
    counts = (
        f"Of {len(defects)} defects Windlass finds {len(found)}. {len(ours)} are found by Windlass "
        f"alone, {len(theirs)} by actionlint alone, {len(neither)} by neither."
    )
    lines = [
        HEADING,
        counts,
        "",
        "### Found by Windlass, not by actionlint",
        *_table(ours),
        "### Found by actionlint, not by Windlass",
        *(_table(theirs) if theirs else ["None.", ""]),
        "### Found by neither",
        *(_table(neither) if neither else ["None.", ""]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(defects: Iterable[Defect]) -> Iterator[str]:
    by_category: dict[str, list[Defect]] = {}
    for one in defects:
        by_category.setdefault(one.category, []).append(one)
    for category, members in sorted(by_category.items()):
        yield f"**{category}** ({len(members)}). {ARGUMENTS[category]}"
        yield ""
        yield "| defect | what is wrong |"
        yield "|---|---|"
        for one in members:
            yield f"| {one.id} | {one.description.replace('|', chr(92) + '|')} |"
        yield ""
