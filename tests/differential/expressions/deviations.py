"""Where Windlass does not answer what @actions/expressions answers, and why.

GitHub's editor package is a re-implementation; what runs a job is actions/runner. Where the package
would give another result than the job gets, the runner decides. Each entry has an example that the
tests ask both, so that an entry goes when its reason has gone; docs/concepts/expressions.md lists
them by name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One difference; `explains` tells from the question and both answers whether this is it."""

    name: str
    reason: str
    source: str
    example: dict[str, Any]
    expected: Answer
    explains: Callable[[dict[str, Any], Answer, Answer], bool]


_STRING = re.compile(r"'(?:[^']|'')*'")
_PLACE = re.compile(r"Located at position \d+")
_PREFIXED = re.compile(r"0[bBoOxX]")
_NUMBER = re.compile(r"[0-9.]+(?:[eE][+-]?[0-9]+)?")


def _everything(question: dict[str, Any]) -> str:
    return question["expr"] + json.dumps(question["contexts"], ensure_ascii=False)


def _has_escaped_quotes(question: dict[str, Any], _theirs: Answer, _ours: Answer) -> bool:
    return any(found[1:-1].count("''") > 1 for found in _STRING.findall(question["expr"]))


def _differs_in_place(question: dict[str, Any], theirs: Answer, ours: Answer) -> bool:
    if "\n" not in question["expr"] or "err" not in theirs or "err" not in ours:
        return False
    messages = [_PLACE.sub("", answer["err"]["value"]) for answer in (theirs, ours)]
    return messages[0] == messages[1] and theirs["err"]["kind"] == ours["err"]["kind"]


def _skips_a_fault(question: dict[str, Any], theirs: Answer, _ours: Answer) -> bool:
    return "case(" in question["expr"].lower() and theirs.get("err", {}).get("kind") == "evaluation"


def _has_special_letters(question: dict[str, Any], _theirs: Answer, _ours: Answer) -> bool:
    return any(letter in _everything(question) for letter in "ßſςΣıİ\u212a")


def _has_prefixed_numbers(question: dict[str, Any], _theirs: Answer, _ours: Answer) -> bool:
    return _PREFIXED.search(_everything(question)) is not None


def _has_long_numbers(question: dict[str, Any], _theirs: Answer, _ours: Answer) -> bool:
    for found in _NUMBER.findall(_everything(question)):
        try:
            number = float(found)
        except ValueError:
            continue
        digits = found.partition("e")[0].replace(".", "").strip("0")
        if len(digits) > 15 or (number and not 1e-5 < number < 1e15):
            return True
    return False


def _never(_question: dict[str, Any], _theirs: Answer, _ours: Answer) -> bool:
    """For what the generator does not make."""
    return False


def _result(kind: str, value: Any) -> Answer:
    return {"result": {"kind": kind, "value": value}}


def _error(kind: str, value: str) -> Answer:
    return {"err": {"kind": kind, "value": value}}


_LONG = "'" + "a" * 21_000 + "'"
_CHAIN = " == ".join(["1"] * 60)

DEVIATIONS = (
    Deviation(
        name="escaped-quotes",
        reason="The package unescapes only the first '' of a string; the runner every one.",
        source="src/Sdk/Expressions/Tokens/LexicalAnalyzer.cs, ReadStringToken",
        example={"expr": "'it''s Bob''s'", "contexts": {}},
        expected=_result("String", "it's Bob's"),
        explains=_has_escaped_quotes,
    ),
    Deviation(
        name="position-over-lines",
        reason="The package counts from the last line break, the runner from the text's start.",
        source="src/Sdk/Expressions/ParseException.cs; testdata/syntax-errors.json says the same",
        example={"expr": "true &&\n foo", "contexts": {}},
        expected=_error(
            "parsing",
            "Unrecognized named-value: 'foo'. "
            "Located at position 10 within expression: true &&\n foo",
        ),
        explains=_differs_in_place,
    ),
    Deviation(
        name="lazy-case",
        reason="The runner evaluates only the value that case() chooses, the package all of them.",
        source="src/Sdk/Expressions/Sdk/Functions/Case.cs",
        example={"expr": "case(true, 'ok', fromJSON(''))", "contexts": {}},
        expected=_result("String", "ok"),
        explains=_skips_a_fault,
    ),
    Deviation(
        name="letters-one-by-one",
        reason="The runner upper-cases each letter by itself ('ß' is not 'SS', 'ς' is 'Σ') and "
        "everywhere alike; the package maps whole strings, and contains() to lower case.",
        source="src/Sdk/Expressions/EvaluationResult.cs, StringComparison.OrdinalIgnoreCase",
        example={"expr": "'straße' == 'STRASSE'", "contexts": {}},
        expected=_result("Boolean", False),
        explains=_has_special_letters,
    ),
    Deviation(
        name="prefixed-numbers",
        reason="The runner reads 0x and 0o, in lower case, as 32-bit two's complement, and no 0b.",
        source="src/Sdk/Expressions/Sdk/ExpressionUtility.cs, ParseNumber",
        example={"expr": "0xFFFFFFFF", "contexts": {}},
        expected=_result("Number", -1),
        explains=_has_prefixed_numbers,
    ),
    Deviation(
        name="number-text",
        reason='Numbers become text as .NET\'s "G15" writes them, not as ECMAScript does.',
        source="src/Sdk/Expressions/ExpressionConstants.cs, NumberFormat",
        example={"expr": "format('{0}', 1234567890.123456789)", "contexts": {}},
        expected=_result("String", "1234567890.12346"),
        explains=_has_long_numbers,
    ),
    Deviation(
        name="length-message",
        reason="The package's message is the bare name of an error code.",
        source="src/Sdk/Expressions/ParseException.cs",
        example={"expr": _LONG, "contexts": {}},
        expected=_error("lexing", "Exceeded max expression length 21000"),
        explains=_never,
    ),
    Deviation(
        name="comparison-depth",
        reason="The package does not count chains of comparisons towards the depth of 50.",
        source="src/Sdk/Expressions/ExpressionParser.cs, CheckMaxDepth",
        example={"expr": _CHAIN, "contexts": {}},
        expected=_error(
            "parsing",
            "Exceeded max expression depth 50: '1 == 1 == 1 == 1 == 1 == 1 == 1 == 1 == 1 == 1'. "
            f"Located at position 1 within expression: {_CHAIN}",
        ),
        explains=_never,
    ),
    Deviation(
        name="memory",
        reason="The package does not limit the text an expression makes.",
        source="src/Sdk/Expressions/Sdk/MemoryCounter.cs",
        example={
            "expr": "startsWith(format('" + "{0}" * 30 + "', a.b), '')",
            "contexts": {"a": {"b": "x" * 20_000}},
        },
        expected=_error(
            "evaluation",
            "The maximum allowed memory size was exceeded while evaluating the following "
            "expression: format('" + "{0}" * 30 + "', a.b)",
        ),
        explains=_never,
    ),
    Deviation(
        name="key-order",
        reason="The package moves keys that look like integers to the front.",
        source="src/Sdk/Expressions/Data/DictionaryExpressionData.cs",
        example={"expr": 'toJSON(fromJSON(\'{"b": 1, "1": 2}\'))', "contexts": {}},
        expected=_result("String", '{\n  "b": 1,\n  "1": 2\n}'),
        explains=_never,
    ),
    Deviation(
        name="prototype-keys",
        reason="The package mistakes keys such as 'constructor' for ECMAScript's own members.",
        source="src/Sdk/Expressions/Data/DictionaryExpressionData.cs",
        example={"expr": "a.constructor", "contexts": {"a": {"constructor": "x"}}},
        expected=_result("String", "x"),
        explains=_never,
    ),
)
