"""Coverage-guided fuzzing of workflow and action files: nothing raises, every error has a place.

Needs atheris (`pip install atheris`, CPython 3.11 on Linux). Run from the checkout, best with the
golden files as a corpus, of which a copy is made since new inputs are written into it:

    cp -r tests/golden/workflows/ok /tmp/corpus
    PYTHONPATH=src python tests/fuzz/fuzz_workflows.py -max_total_time=180 /tmp/corpus
"""

from __future__ import annotations

import json
import sys


def check_workflow(data: bytes) -> None:
    """Read bytes as a workflow that calls itself; raises AssertionError for a broken promise."""
    from windlass.lang.diagnostics import Severity
    from windlass.lang.workflow import read_workflow
    from windlass.lang.workflow.template import write_template

    reading = read_workflow("w.yml", data, resolve=lambda _: data)
    errors = [one for one in reading.diagnostics if one.severity is Severity.ERROR]
    assert (reading.workflow is None) == bool(errors)
    for one in reading.diagnostics:
        assert one.message
        assert one.span is not None
        assert one.span.start <= one.span.end
    json.dumps(write_template(reading), allow_nan=False)


def check_action(data: bytes) -> None:
    """Read bytes as an action file."""
    from windlass.lang.action import read_action

    reading = read_action("action.yml", data)
    assert (reading.action is None) == bool(reading.diagnostics)


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["windlass"]):
        import windlass.lang.action
        import windlass.lang.workflow.template  # noqa: F401

    def run_one(data: bytes) -> None:
        check_workflow(data)
        check_action(data)

    atheris.Setup(sys.argv, run_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
