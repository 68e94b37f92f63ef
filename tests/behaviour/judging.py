"""Whether a behaviour was seen as it is expected."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import yaml
from tests.behaviour.harness import FOLDER

if TYPE_CHECKING:
    from tests.behaviour.harness import Behaviour


def read_exceptions(place: str) -> dict[str, str]:
    """Return the behaviours that cannot be seen in a place, each with the reason."""
    known = yaml.safe_load((FOLDER / "exceptions.yml").read_text(encoding="utf-8"))
    return dict(known.get(place.partition(":")[0]) or {})


def judge(behaviour: Behaviour, report: Any) -> None:
    """Compare what a behaviour has shown, and how its run ended, with what it expects."""
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
        _check_output(behaviour.expect_output(texts), behaviour.output_of(step))
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
