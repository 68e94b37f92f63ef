"""Random expressions, most of them valid, with random contexts; the same for the same seed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

CONTEXTS = ("github", "env", "needs", "matrix", "steps", "inputs")
KEYS = (
    "ref",
    "Ref",
    "event",
    "name",
    "labels",
    "outputs",
    "result",
    "os",
    "a-b",
    "_x",
    "0",
    "true",
)
TEXTS = (
    "", " ", "main", "MAIN", "refs/heads/main", "success", "failure", "true", "false", "null", "0",
    "1", " 12 ", "-1.5", "1e3", "0x1F", "0o17", "Infinity", "-Infinity", "NaN", "abc", "aBc", "[]",
    "it's", "a\nb", "é", "É", "ς", "Σ", "ı", "i", "I", "İ", "\U0001f60a", "{0}", "{1}-{0}", "{{x}}",
    "}", '{"a": [1, {"b": null}], "ref": "x"}', '[1, "two", null, true]', '"text"', "{", "\u00a0",
    "nUll", "Array", "Object", "a,b", "1.", ".5", "+7", "0b1", "1_0", "\t9\n", "straße", "STRASSE",
    "it''s Bob's", "0xffffffff", "\u212a", "k", "\U00010428", "\U00010400", "\uff5e", "\u017f", "s",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "+1", "2", "3", "0.5", ".5", "-.5", "1e3", "1.5E-2", "0xff", "0o17", "NaN",
    "Infinity", "-Infinity", "-0", "123456.789", "0.1", "1e-5", "99999999", "0.30000000000000004",
    "1e21", "1e-7", "123456789012345678", "1234567890.123456789", "0xFFFFFFFF", "0b11", "0X1F",
)  # fmt: skip
FUNCTIONS: dict[str, tuple[int, int]] = {
    "contains": (2, 2), "startsWith": (2, 2), "endsWith": (2, 2), "format": (1, 4), "join": (1, 2),
    "toJSON": (1, 1), "fromJSON": (1, 1), "case": (3, 5), "CONTAINS": (2, 2), "tojson": (1, 1),
}  # fmt: skip
DAMAGE = (
    "(", ")", "[", "]", ".", ",", "*", "'", "!", "==", "=", "&&", "&", "|", "<", "+", "-", "@", " ",
    "\n", "foo", "foo(", "''", "$", '"', "é", "..", "1", "true", "\t", "/", "\U0001f60a",
)  # fmt: skip


class Generator:
    """Makes (expression, contexts) pairs from one source of randomness."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def cases(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield questions for the oracle; one in five has an expression that was damaged."""
        contexts: dict[str, Any] = {}
        for number in range(count):
            if number % 10 == 0:
                contexts = self.contexts()
            text = self.expression(self._random.randint(0, 5))
            if self._random.random() < 0.2:
                text = self.damaged(text)
            yield {"expr": text, "contexts": contexts}

    def contexts(self) -> dict[str, Any]:
        """Return some of the contexts with values in them."""
        names = [name for name in CONTEXTS if self._random.random() < 0.95]
        return {name: self.value(3) for name in names}

    def value(self, depth: int) -> Any:
        """Return random JSON data, nested up to a depth."""
        choice = self._random.random()
        if depth and choice < 0.45:
            size = self._random.randint(0, 4)
            folded = {key.lower(): key for key in self._random.choices(KEYS, k=size)}
            return {key: self.value(depth - 1) for key in folded.values() if not key.isdigit()}
        if depth and choice < 0.65:
            return [self.value(depth - 1) for _ in range(self._random.randint(0, 4))]
        return self._random.choice(
            (None, True, False, 0, 1, -1, 2.5, 100, *self._random.choices(TEXTS, k=4))
        )

    def expression(self, depth: int) -> str:
        """Return an expression that is valid where the contexts it names are given."""
        if depth == 0:
            return self._leaf()
        forms: tuple[Callable[[int], str], ...] = (
            self._binary, self._binary, self._logical, self._logical, self._not, self._group,
            self._call, self._call, self._path, self._path, self._subscript,
        )  # fmt: skip
        return self._random.choice(forms)(depth - 1)

    def damaged(self, text: str) -> str:
        """Return a text with one piece inserted, removed or doubled."""
        place = self._random.randint(0, len(text))
        match self._random.randint(0, 2):
            case 0:
                return text[:place] + self._random.choice(DAMAGE) + text[place:]
            case 1:
                return text[:place] + text[place + self._random.randint(1, 3) :]
            case _:
                return text[:place] + text[max(0, place - 3) :]

    def _leaf(self) -> str:
        match self._random.randint(0, 4):
            case 0:
                return self._random.choice(("true", "false", "null"))
            case 1:
                return self._random.choice(NUMBERS)
            case 2 | 3:
                return self._quoted(self._random.choice(TEXTS))
            case _:
                return self._path(0)

    def _quoted(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def _space(self) -> str:
        return self._random.choice((" ", " ", " ", "", "  ", "\t"))

    def _binary(self, depth: int) -> str:
        operator = self._random.choice(("==", "!=", "<", "<=", ">", ">=", "==", "!="))
        left, right = self.expression(depth), self.expression(depth)
        return f"{left}{self._space()}{operator}{self._space()}{right}"

    def _logical(self, depth: int) -> str:
        operator = self._random.choice(("&&", "||"))
        operands = [self.expression(depth) for _ in range(self._random.randint(2, 3))]
        return f" {operator} ".join(operands)

    def _not(self, depth: int) -> str:
        return "!" + self._space() + self.expression(depth)

    def _group(self, depth: int) -> str:
        return f"({self.expression(depth)})" + self._random.choice(("", "", ".ref", ".*", "[0]"))

    def _call(self, depth: int) -> str:
        name, (least, most) = self._random.choice(list(FUNCTIONS.items()))
        count = self._random.randint(least, most)
        if name == "case":
            count = self._random.choice((3, 3, 5))
        arguments = [self.expression(depth) for _ in range(count)]
        if name == "case" and self._random.random() < 0.8:
            for place in range(0, count - 1, 2):
                arguments[place] = self._not(depth - 1) if depth else "true"
        if name == "format" and self._random.random() < 0.7:
            arguments[0] = self._quoted(self._template(count - 1))
        if name == "fromJSON" and self._random.random() < 0.7:
            arguments[0] = self._quoted(json.dumps(self.value(2)))
        return f"{name}({(',' + self._space()).join(arguments)})"

    def _template(self, count: int) -> str:
        pieces = [f"{{{self._random.randint(0, max(count, 1))}}}" for _ in range(3)]
        pieces += ["-", "{{", "}}", "x", "{0:x}", "{", "}", ""]
        return "".join(self._random.choices(pieces, k=4))

    def _path(self, depth: int) -> str:
        text = self._random.choice(CONTEXTS)
        if self._random.random() < 0.2:
            text = text.upper()
        for _ in range(self._random.randint(0, 3 + depth % 2)):
            key = self._random.choice([key for key in KEYS if key != "0"])
            text += self._random.choice(
                (f".{key}", f".{key}", ".*", "[*]", f"['{key}']", "[0]", "[1]")
            )
        return text

    def _subscript(self, depth: int) -> str:
        return f"{self._path(depth)}[{self.expression(depth)}]"
