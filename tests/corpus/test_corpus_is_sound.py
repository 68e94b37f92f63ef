"""The corpus is what its README says: so many workflows, whole, each file they name present."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parent / "ok"
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").iterdir())


def load(workflow: Path) -> dict[str, Any]:
    """Read one workflow as plain data."""
    return yaml.load(workflow.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def steps_of(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every step, those of a parallel group instead of the group."""
    for step in steps:
        if "parallel" in step:
            yield from steps_of(step["parallel"])
        else:
            yield step


JOBS = [job for workflow in WORKFLOWS for job in load(workflow)["jobs"].values()]
STEPS = [step for job in JOBS for step in steps_of(job.get("steps", []))]


def test_there_are_sixty_six_workflows() -> None:
    """The corpus has the size of the largest of the repositories it stands for."""
    assert len(WORKFLOWS) == 66
    assert sum(workflow.name.startswith("new-") for workflow in WORKFLOWS) == 4


def test_jobs_and_steps_are_as_many_as_the_readme_says() -> None:
    """117 jobs and 654 steps, about half of them scripts and half of them actions."""
    assert len(JOBS) == 117
    assert len(STEPS) == 654
    assert sum("run" in step for step in STEPS) == 321
    assert sum("uses" in step for step in STEPS) == 330


def test_every_local_action_and_workflow_exists() -> None:
    """What `uses: ./…` and `uses: $/…` name is in the repository."""
    used = {str(part["uses"])[2:] for part in JOBS + STEPS if str(part.get("uses"))[1:2] == "/"}
    names = {name if name.endswith(".yml") else f"{name}/action.yml" for name in used}

    missing = [name for name in sorted(names) if not (REPOSITORY / name).is_file()]

    assert names
    assert missing == []


def test_every_script_that_is_named_exists() -> None:
    """A path under scripts/, docker/ or performance/ is a file of the repository."""
    pattern = r"(?:scripts|docker|performance)/[\w./-]+\.(?:sh|py|mjs|js|json|api|agents|console)\b"
    named = {name for workflow in WORKFLOWS for name in re.findall(pattern, workflow.read_text())}
    missing = [name for name in sorted(named) if not (REPOSITORY / name).is_file()]

    assert len(named) > 20
    assert missing == []
