"""Every behaviour of a workflow that is written down here, on real processes."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.behaviour.harness import FOLDER, Behaviour, make_repository
from tests.images import provide_job_image

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(FOLDER.glob("*/*.yml"))
ROWS = {
    "needs": "A08",
    "conditions": "A09",
    "matrix": "A10",
    "cancellation": "A17",
    "secrets": "A27",
}
"""The requirement rows that the folders of behaviours prove."""


def _marked(file: Path) -> Any:
    row = ROWS.get(file.parent.name)
    marks = [pytest.mark.requirement(row)] if row else []
    return pytest.param(file, marks=marks, id=f"{file.parent.name}/{file.stem}")


def read_exceptions(place: str) -> dict[str, str]:
    """Return the behaviours that cannot be seen in a place, each with the reason."""
    known = yaml.safe_load((FOLDER / "exceptions.yml").read_text(encoding="utf-8"))
    return dict(known.get(place.partition(":")[0]) or {})


@pytest.fixture
def place(request: pytest.FixtureRequest, file: Path) -> str:
    """Where the behaviour is to be seen (`--place`); for `docker` in an image that is made here."""
    place = str(request.config.getoption("--place"))
    if reason := read_exceptions(place).get(f"{file.parent.name}/{file.stem}"):
        pytest.skip(f"not in a {place}: {reason}")
    if not place.startswith("docker"):
        return place
    engine = request.getfixturevalue("docker")
    return f"docker://{provide_job_image(engine)}" if place == "docker" else place


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one empty commit on its branch `main`."""
    folder = tmp_path_factory.mktemp("template") / "boat"
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    for words in (
        ("init", "--quiet", "--initial-branch=main", "--template=", str(folder)),
        ("-C", str(folder), *identity, "commit", "--quiet", "--allow-empty", "--message=Start"),
    ):
        subprocess.run(["git", *words], check=True)
    return folder


@pytest.mark.parametrize("file", [_marked(file) for file in FILES])
def test_behaviour(file: Path, place: str, template: Path, tmp_path: Path) -> None:
    """The run ends as GitHub's runner would end it, and shows what it would show."""
    behaviour = Behaviour(file, place)

    report = behaviour.play(make_repository(template, tmp_path / "boat"))

    expected, seen = behaviour.expected, behaviour.seen
    if expected["result"] == "refused":
        assert [str(it.message) for it in report.diagnostics] == expected["diagnostics"]
        assert not report.runs
        return
    results = [run.result.value for run in report.runs]
    assert [expected["result"]] == results, (report.diagnostics, seen.annotations, seen.output)
    _check_jobs(expected["jobs"], behaviour)
    _check_texts(expected, behaviour)
    for earlier, later in expected.get("before", []):
        assert seen.moments.index(earlier) < seen.moments.index(later), seen.moments


def _check_jobs(expected: dict[str, Any], behaviour: Behaviour) -> None:
    seen = behaviour.seen
    assert {key: _result(job) for key, job in expected.items()} == seen.jobs, seen.annotations
    for key, job in expected.items():
        if isinstance(job, dict) and "steps" in job:
            named = _choose(seen.steps[key], job["steps"])
            assert job["steps"] == named, (seen.annotations, seen.output)
        if isinstance(job, dict) and "outputs" in job:
            assert job["outputs"] == seen.outputs[key]
        if isinstance(job, dict) and "url" in job:
            assert job["url"] == seen.urls[key]


def _check_texts(expected: dict[str, Any], behaviour: Behaviour) -> None:
    seen = behaviour.seen
    for step, texts in expected.get("output", {}).items():
        _check_output(texts, behaviour.output_of(step))
    for step, digest in expected.get("sha256", {}).items():
        output = behaviour.output_of(step)
        assert digest == hashlib.sha256(output.encode()).hexdigest(), output[:1000]
    for step, texts in expected.get("lacks", {}).items():
        output = behaviour.output_of(step)
        assert not [text for text in texts if text in output], output
    for text in expected.get("nowhere", []):
        assert not [event for event in seen.everything if text in repr(event)]
    if "annotations" in expected:
        assert expected["annotations"] == seen.annotations
    for step, markdown in expected.get("summary", {}).items():
        assert markdown == seen.summaries.get(step)


def _check_output(expected: str | list[str], output: str) -> None:
    if isinstance(expected, str):
        assert expected == output
        return
    position = 0
    for text in expected:
        found = output.find(text, position)
        assert found >= 0, f"{text!r} is not in {output!r} after {position}"
        position = found + len(text)


def _choose(seen: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    """Steps with the user's ids; of other stages and inside actions those that are expected."""
    return {
        step: end
        for step, end in seen.items()
        if step in expected or not ({".", ":"} & set(step) or step.startswith("__"))
    }


def _result(job: Any) -> str:
    return str(job["result"]) if isinstance(job, dict) else str(job)


def test_every_behaviour_says_what_it_is_about() -> None:
    """A file starts with the rule and names the source that decides it; no two say the same."""
    heads = [file.read_text(encoding="utf-8").partition("\nexpect:")[0] for file in FILES]
    rules = [head.partition("\ngiven:")[0] for head in heads]

    assert all(rule.startswith("# ") and "Source: " in rule for rule in rules)
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("kind", ["sandbox", "docker"])
def test_few_behaviours_are_left_out_elsewhere(kind: str) -> None:
    """What cannot be seen in a place is there, has a reason, and is at most one in twenty."""
    names = {f"{file.parent.name}/{file.stem}" for file in FILES}
    exceptions = read_exceptions(kind)

    assert set(exceptions) <= names
    assert all(len(reason) > len("it fails there") for reason in exceptions.values())
    assert len(exceptions) <= len(names) // 20
