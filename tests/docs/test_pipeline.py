"""The pipeline in ci.yml and the script .ci/run are the same suites with the same budgets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
MOST_MINUTES = 40


def suites_of_script() -> dict[str, int]:
    """The `./dev` command of each suite with its minutes."""
    text = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    rows = re.findall(r'^    "(\d+) +\S+ +\./dev (\S+)[^"]*"$', text, flags=re.MULTILINE)
    return {command: int(minutes) for minutes, command in rows}


def suites_of_workflow() -> dict[str, int]:
    """The same of ci.yml; a job with a matrix counts once for each entry."""
    text = (CHECKOUT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    found = {}
    for job in yaml.safe_load(text)["jobs"].values():
        for leg in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            for step in job["steps"]:
                if command := re.match(r"\./dev (.+)", step.get("run", "")):
                    found[fill(command[1], leg).split()[0]] = minutes_of(job, leg)
    return found


def fill(text: str, leg: dict[str, Any]) -> str:
    """Put a leg's values into `${{ matrix.key }}`."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: str(leg[match[1]]), text)


def minutes_of(job: dict[str, Any], leg: dict[str, Any]) -> int:
    """A job's time-out; of several in an expression the last, which is the usual one."""
    return int(re.findall(r"\d+", fill(str(job["timeout-minutes"]), leg))[-1])


def test_both_run_the_same_suites() -> None:
    """What continuous integration runs is what developers run, within the same time."""
    assert suites_of_script() == suites_of_workflow()


def test_the_budgets_fit() -> None:
    """All suites together may take forty minutes."""
    assert sum(suites_of_script().values()) <= MOST_MINUTES
