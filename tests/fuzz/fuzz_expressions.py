"""Coverage-guided fuzzing of expressions: nothing raises, and both evaluators agree.

Needs atheris (`pip install atheris`, CPython 3.11 on Linux). Run from the checkout:

    PYTHONPATH=src python tests/fuzz/fuzz_expressions.py -max_total_time=180 [CORPUS]
"""

from __future__ import annotations

import json
import sys
from typing import Any


def check(text: str, contexts: dict[str, Any]) -> None:
    """Evaluate a text in every way there is; raises AssertionError where two ways disagree."""
    from windlass.lang.expressions import Fault, compile_expression, kind_of, references

    found = compile_expression(text, contexts=contexts)
    if isinstance(found, Fault):
        assert found.kind in ("lexing", "parsing")
        assert found.offset is None or 0 <= found.offset <= len(text)
        return
    value = found.evaluate(contexts)
    assert repr(value) == repr(found.evaluate_partial(contexts))
    assert not isinstance(value, Fault) or value.kind == "evaluation"
    kind_of(value)
    references(found.node)


def check_line(line: bytes) -> None:
    """Evaluate a line as `expr eval` does; the answer must be one line of JSON."""
    from windlass.operations.expressions import evaluate_lines

    for answer in evaluate_lines([line]):
        assert "\n" not in answer.line
        assert set(json.loads(answer.line)) <= {"result", "err"}


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["windlass"]):
        import windlass.operations.expressions  # noqa: F401

    def run_one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        if provider.ConsumeBool():
            check_line(provider.ConsumeBytes(provider.remaining_bytes()))
            return
        value = provider.ConsumeUnicode(20)
        number = provider.ConsumeFloat()
        contexts = {
            "github": {"event": {"Ref": value, "labels": [{"name": value}, number, None]}},
            "env": {value: [number, {}]},
        }
        check(provider.ConsumeUnicode(provider.remaining_bytes()), contexts)

    atheris.Setup(sys.argv, run_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
