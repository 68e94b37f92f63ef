"""Read generated and broken workflows with Windlass and with GitHub's own package, and compare.

`WINDLASS_DIFFERENTIAL=full` compares 6,000 files; without it 200 are compared.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.differential.oracle import Oracle
from tests.differential.workflows.deviations import DEVIATIONS, Case, read_ours, read_theirs
from tests.differential.workflows.generator import CALLED, CALLED_TEXT, Generator

from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.template import write_template

SCRIPT = Path(__file__).with_name("oracle.mjs")
CORPUS = Path(__file__).parents[2] / "corpus" / "ok" / ".github" / "workflows"
PATH = ".github/workflows/generated.yml"
COUNT = 6000 if os.environ.get("WINDLASS_DIFFERENTIAL") == "full" else 200


def generate() -> list[str]:
    """Return the files to compare: three generated ones for each broken file of the corpus."""
    corpus = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.yml"))]
    texts = []
    for seed in range(COUNT):
        generator = Generator(seed)
        if corpus and seed % 4 == 3:
            texts.append(generator.broken(corpus[seed % len(corpus)]))
        else:
            texts.append(generator.text())
    return texts


def without_layout(value: Any) -> Any:
    """Drop blanks and quotes: the package takes the indented source of a multi-line scalar."""
    if isinstance(value, str):
        return re.sub(r"[\s\"'\\]", "", value)
    if isinstance(value, list):
        return [without_layout(item) for item in value]
    if isinstance(value, dict):
        return {key: without_layout(item) for key, item in value.items()}
    return value


def has_multi_line_expression(value: Any) -> bool:
    """Say whether a value holds an expression that was written on several lines."""
    if isinstance(value, list):
        return any(map(has_multi_line_expression, value))
    if isinstance(value, dict):
        return "\n" in str(value.get("expr", "")) or any(
            map(has_multi_line_expression, value.values())
        )
    return False


def compare_values(text: str, ours: Any, theirs: Any) -> str | None:
    """Return the name of what explains a difference of values; None for an unexplained one."""
    if ours == theirs:
        return "same value"
    if not text.endswith("\n") and without_layout(ours) == without_layout(theirs):
        return "no-final-newline"  # npm's yaml adds one to a block scalar, libyaml does not
    if has_multi_line_expression(theirs) and without_layout(ours) == without_layout(theirs):
        return "multi-line-scalar"
    return None


def compare(text: str, answer: dict[str, Any], called: str = CALLED_TEXT) -> str | None:
    """Return how both readings relate; None for a difference that nothing explains."""
    files = {CALLED.removeprefix("./"): called.encode()}
    reading = read_workflow(PATH, text.encode(), resolve=files.get)
    case = Case(
        text=text,
        ours=read_ours(reading.diagnostics),
        theirs=read_theirs(answer["errors"]),
        is_yaml_for_us=not any(found.code == "yaml-syntax" for found in reading.diagnostics),
        is_yaml_for_them=answer["isYaml"],
    )
    if [error.place for error in case.ours] != [error.place for error in case.theirs]:
        return next((one.name for one in DEVIATIONS if one.explains(case)), None)
    if case.ours:
        return "same errors"
    return compare_values(text, write_template(reading), answer["value"])


def test_every_file_is_read_as_github_reads_it() -> None:
    """Errors agree in message, place and order, and values in all parts, but for known reasons."""
    texts = generate()
    questions = [{"path": PATH, "text": text, "files": {CALLED: CALLED_TEXT}} for text in texts]
    outcomes: Counter[str] = Counter()
    unexplained = []
    with Oracle(SCRIPT, is_bundled=True) as oracle:
        for seed, (text, answer) in enumerate(zip(texts, oracle.ask_all(questions), strict=True)):
            if "crash" in answer:
                outcomes["the package crashed"] += 1
                continue
            outcome = compare(text, answer)
            if outcome is None:
                unexplained.append(seed)
            else:
                outcomes[outcome] += 1
    print(dict(outcomes))
    assert unexplained == []
    assert outcomes["same value"] + outcomes["multi-line-scalar"] > COUNT / 20
    assert outcomes["same errors"] > COUNT / 3
    assert outcomes["the package crashed"] < COUNT / 20


GOLDEN_DEVIATIONS = {
    "err/identifiers": "step-id-case",
    "meaning/jobs": "server-check",
    "meaning/steps": "server-check",
    "meaning/strategy": "server-check",
    "ok/call-job": "remote-workflow",
}
GOLDEN_FOLDER = Path(__file__).parents[2] / "golden" / "workflows"
GOLDEN = sorted(GOLDEN_FOLDER.glob("*/*.yml"))


def test_golden_files_are_read_as_github_reads_them() -> None:
    """What the golden files expect is what GitHub's package says."""
    called = (GOLDEN_FOLDER / "called.yml").read_text()
    files = {CALLED: called}
    questions = [{"path": PATH, "text": path.read_text(), "files": files} for path in GOLDEN]
    with Oracle(SCRIPT, is_bundled=True) as oracle:
        outcomes = {
            f"{path.parent.name}/{path.stem}": compare(path.read_text(), answer, called)
            for path, answer in zip(GOLDEN, oracle.ask_all(questions), strict=True)
        }
    same = ("same errors", "same value")
    assert {name: one for name, one in outcomes.items() if one not in same} == GOLDEN_DEVIATIONS
