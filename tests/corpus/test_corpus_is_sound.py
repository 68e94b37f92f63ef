"""The corpus is what its README says: right files, all there, and defects of one edit each."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.corpus.seeded.defects import Defect, apply, edit, read_defects

if TYPE_CHECKING:
    from collections.abc import Iterator

REACH = 2
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
DEFECTS = read_defects()
STEPS = [step for job in JOBS for step in steps_of(job.get("steps", []))]


def test_there_are_sixty_six_workflows() -> None:
    """The corpus has the size of the largest of the repositories it stands for."""
    assert len(WORKFLOWS) == 66
    assert sum(workflow.name.startswith("new-") for workflow in WORKFLOWS) == 4


def test_jobs_and_steps_are_as_many_as_the_readme_says() -> None:
    """117 jobs and 660 steps, about half of them scripts and half of them actions."""
    assert len(JOBS) == 117
    assert len(STEPS) == 660
    assert sum("run" in step for step in STEPS) == 321
    assert sum("uses" in step for step in STEPS) == 336


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


def first_changed_line(before: str, after: str) -> int:
    """Return the first line that differs, from 1; of a cut at the end, the last line."""
    old, new = before.splitlines(), after.splitlines()
    pairs = enumerate(zip(old, new, strict=False), start=1)
    return next((number for number, (left, right) in pairs if left != right), len(new))


def test_defects_are_many_and_spread() -> None:
    """277 defects of 33 categories, none of which stands for a single one."""
    categories = Counter(defect.category for defect in DEFECTS)

    assert len(DEFECTS) == 277
    assert len(categories) == 33
    assert min(categories.values()) >= 2


def test_defects_have_their_own_names_and_edits() -> None:
    """No id and no edit occurs twice."""
    assert len({defect.id for defect in DEFECTS}) == len(DEFECTS)
    assert len({(defect.file, defect.find, defect.replace) for defect in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_defect_is_one_edit_near_its_line(defect: Defect) -> None:
    """The edit applies exactly once, changes the file, and lies where a finding is expected."""
    before = (REPOSITORY / defect.file).read_text(encoding="utf-8")
    after = edit(defect)
    expected = [defect.line, *defect.also]
    first = first_changed_line(before, after)
    last = first + len(defect.replace.splitlines())

    assert after != before
    assert all(1 <= line <= len(after.splitlines()) for line in expected)
    assert any(first - REACH <= line <= last + REACH for line in expected)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_only_defects_of_yaml_break_the_syntax(defect: Defect) -> None:
    """A defect of the language can still be read as YAML; a defect of YAML cannot."""
    if defect.category == "yaml" and "duplicate" not in defect.id:
        with pytest.raises(yaml.YAMLError):
            yaml.compose(edit(defect), Loader=yaml.CSafeLoader)
    else:
        assert yaml.compose(edit(defect), Loader=yaml.CSafeLoader) is not None


def test_applying_a_defect_changes_one_file_of_a_copy(tmp_path: Path) -> None:
    """The copy is the repository but for the file that holds the defect."""
    defect = DEFECTS[0]
    edited = apply(defect, tmp_path / "copy")
    originals = [path for path in sorted(REPOSITORY.rglob("*")) if path.is_file()]
    changed = [
        path.relative_to(REPOSITORY).as_posix()
        for path in originals
        if path.read_bytes() != (tmp_path / "copy" / path.relative_to(REPOSITORY)).read_bytes()
    ]

    assert changed == [defect.file]
    assert edited.read_text(encoding="utf-8") == edit(defect)


def test_an_edit_that_no_longer_applies_is_refused() -> None:
    """A text that does not occur exactly once is an error that names the defect and the count."""
    stale = Defect(
        id="stale",
        file=DEFECTS[0].file,
        category="schema",
        find="no such text",
        replace="",
        line=1,
        description="",
        actionlint=False,
    )

    with pytest.raises(ValueError, match=r"stale: its text occurs 0 times in \.github/workflows/"):
        edit(stale)
