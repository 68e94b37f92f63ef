"""Workflow files made from the schema by a seeded generator, and broken in many ways."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from windlass.lang.schema.definitions import (
    NOTHING,
    BooleanDefinition,
    MappingDefinition,
    NullDefinition,
    NumberDefinition,
    OneOfDefinition,
    SequenceDefinition,
    StringDefinition,
)
from windlass.lang.schema.workflow import ROOT, workflow_schema

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Availability

Tree: TypeAlias = "str | Mapping | Sequence"

MAXIMUM_DEPTH = 9
CALLED = "./.github/workflows/called.yml"
CALLED_TEXT = """
on:
  workflow_call:
    inputs:
      text: {type: string, required: true}
      build: {type: boolean, default: true}
      test: {type: number}
    secrets:
      deploy: {required: true}
      build:
    outputs:
      result: {value: "${{ jobs.one.outputs.x }}"}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ inputs.text }}
"""
TEXTS = (
    *("text", "two words", "'quoted'", '"double"', "1.10", "3.0", "0x1F", "0o17", "1e3", "true"),
    *("yes", "on", "~", "null", "''", "2001-01-01", ".5", "-0", "é", "v1.2.3", "'it''s'"),
    *('"a\\tb"', "|\n  first\n  second", ">-\n  folded\n  text", "12e03", "+5", ".inf", "0b1"),
)
NAMES = ("build", "test", "_a", "a-b", "deploy")
NON_EMPTY_TEXTS = ("text", "two words", "1.10", "0x1F", "true", "on", "é", "v1.2.3", '"a\\tb"')
CONDITIONS = (
    "success()",
    "github.ref == 'x'",
    "always()",
    "'x'",
    '"!cancelled()"',
    "''",
    "|\n  true",
)
SPECIAL = {
    "cron-pattern": (("'0 5 * * 1-5'", "'*/15 0-3 * jan mon'"), ("'60 * * * *'", "'* * *'", "x")),
    "step-uses": (
        ("actions/checkout@v4", "./local", "docker://alpine:3.8", "$/self", "a/b/c@main"),
        ("broken", "a@b", "a/b@"),
    ),
    "step-id": (NAMES, ("9x", "__b", "ä")),
    "job-if": (CONDITIONS, ("a b", "!cancelled()", "steps.x")),
    "step-if": (CONDITIONS, ("a b", "!cancelled()", "secrets.x")),
    "snapshot-if": (CONDITIONS[1:2], ("success()",)),
}
GOOD_EXPRESSIONS = (
    *("1", "'text'", "true && 1", "format('{0}', 1)", "fromJSON('[1]')", "!false", "'it''s'"),
)
BAD_EXPRESSIONS = (
    *("", "unknown.x", "format(", "1 +", "nope()", "'open", '"double"', "contains(1)", "a.b.c"),
    *("github..ref", "insert", "insert x", "github.ref ==", "(1", "success(1)", "hashFiles()"),
)
REPLACEMENTS = (
    "",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "5",
    "true",
    "text",
    "[[1]]",
    "${{ github.ref }}",
)


@dataclass
class Mapping:
    """A mapping to be written: pairs of key text and value."""

    pairs: list[tuple[str, Tree]] = field(default_factory=list)


@dataclass
class Sequence:
    """A list to be written."""

    items: list[Tree] = field(default_factory=list)


class Generator:
    """Makes one file after another; the same seed gives the same files."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._schema = workflow_schema()
        self._is_sound = self._random.random() < 0.4

    def text(self) -> str:
        """Return the text of a workflow, sound or broken."""
        tree = self._root()
        if self._is_sound:
            return render(tree, self._random)
        for _ in range(self._random.choice((0, 1, 1, 2, 4))):
            self._break(tree)
        text = render(tree, self._random)
        if self._random.random() < 0.1:
            text = self.broken(text)
        return text

    def _root(self) -> Tree:
        tree = self._value(ROOT, NOTHING, 0)
        if isinstance(tree, Mapping) and self._random.random() < 0.9:
            names = dict.fromkeys(
                ["build", *self._some(NAMES)] if self._is_sound else self._some(NAMES)
            )
            jobs = Mapping([(name, self._job(name)) for name in names])
            tree.pairs = [pair for pair in tree.pairs if pair[0] != "jobs"] + [("jobs", jobs)]
        return tree

    def _job(self, name: str) -> Tree:
        job = self._value(
            "job-factory" if self._random.random() < 0.85 else "workflow-job", NOTHING, 3
        )
        if isinstance(job, Mapping):
            job.pairs = [pair for pair in job.pairs if pair[0] != "needs"]
            if name != "build" and self._random.random() < 0.5:
                job.pairs.append(("needs", self._pick(("build",), ("[build, test]", "gone"))))
        return job

    def _pick(self, sound: tuple[str, ...], broken: tuple[str, ...]) -> str:
        return self._random.choice(sound if self._is_sound else sound + broken)

    def _some(self, names: tuple[str, ...]) -> list[str]:
        return self._random.sample(names, self._random.randint(1, 3))

    def _value(self, name: str, outside: Availability, depth: int) -> Tree:
        definition = self._schema.definitions[name]
        available = outside.joined(definition.available)
        is_plain = not isinstance(definition, (MappingDefinition, SequenceDefinition))
        if available and (is_plain or not self._is_sound) and self._random.random() < 0.12:
            return self._expression(available)
        match definition:
            case OneOfDefinition(types=types):
                if name == "steps-item" and self._is_sound:
                    types = types[:2]
                return self._value(self._random.choice(types), available, depth)
            case MappingDefinition():
                return self._mapping(definition, available, depth)
            case SequenceDefinition(item=item):
                count = self._random.randint(self._is_sound, 2)
                count = count if depth < MAXIMUM_DEPTH else self._is_sound
                return Sequence([self._value(item, available, depth + 1) for _ in range(count)])
            case NullDefinition():
                return self._random.choice(("", "~", "null"))
            case BooleanDefinition():
                return self._random.choice(("true", "false"))
            case NumberDefinition():
                return self._random.choice(("5", "1.5", "0x10", "30"))
            case StringDefinition():
                return self._string(name, definition, available)

    def _string(self, name: str, definition: StringDefinition, available: Availability) -> str:
        if definition.constant is not None:
            return definition.constant
        if name in SPECIAL:
            sound, broken = SPECIAL[name]
            if name == "step-id" and self._is_sound:
                return f"id-{self._random.randrange(10**6)}"
            return self._pick(sound, broken)
        if available and self._random.random() < 0.3:
            return self._mixed(available)
        if definition.require_non_empty:
            return self._pick(NON_EMPTY_TEXTS, TEXTS)
        return self._random.choice(TEXTS)

    def _expression(self, available: Availability) -> str:
        return "${{ " + self._inner(available) + " }}"

    def _mixed(self, available: Availability) -> str:
        first, second = self._inner(available), self._inner(available)
        return self._pick(
            (
                f"a ${{{{{first}}}}} b",
                f"${{{{ {first} }}}}-${{{{ {second} }}}}",
                f"|\n  echo ${{{{ {first} }}}}\n  it's {{x}}",
                f">\n  folded ${{{{ {first} }}}}\n  text",
                "plain ${{ '${{' }} text",
            ),
            ("a ${{ github.ref",),
        )

    def _inner(self, available: Availability) -> str:
        chance = self._random.random()
        if chance < 0.06 and not self._is_sound:
            return self._random.choice(BAD_EXPRESSIONS)
        if chance < 0.2:
            return self._random.choice(GOOD_EXPRESSIONS)
        if available.contexts:
            return self._random.choice(available.contexts) + self._random.choice(
                ("", ".x", "['y']")
            )
        return "1"

    def _mapping(self, definition: MappingDefinition, outside: Availability, depth: int) -> Mapping:
        mapping = Mapping()
        chance = 0.3 if depth < 5 else 0.15
        for name, known in definition.properties.items():
            if known.required or (depth < MAXIMUM_DEPTH and self._random.random() < chance):
                mapping.pairs.append((name, self._value(known.type, outside, depth + 1)))
        if definition.loose_value is not None and depth < MAXIMUM_DEPTH:
            for name in self._some(NAMES):
                value = self._value(definition.loose_value, outside, depth + 1)
                mapping.pairs.append((name, value))
        if "image" in definition.properties and self._is_sound:
            mapping.pairs = [pair for pair in mapping.pairs if pair[0] != "image"]
            mapping.pairs.append(("image", "alpine"))
        self._random.shuffle(mapping.pairs)
        return mapping

    def _break(self, root: Tree) -> None:
        """Change one place of a tree."""
        holders = [node for node in _nodes(root) if isinstance(node, (Mapping, Sequence))]
        holder = self._random.choice(holders) if holders else None
        if isinstance(holder, Sequence):
            holder.items.append(self._random.choice(REPLACEMENTS))
        elif isinstance(holder, Mapping) and holder.pairs:
            index = self._random.randrange(len(holder.pairs))
            self._break_pair(holder, index)

    def _break_pair(self, mapping: Mapping, index: int) -> None:
        key, value = mapping.pairs[index]
        match self._random.randrange(8):
            case 0:
                del mapping.pairs[index]
            case 1:
                mapping.pairs[index] = (key + "x", value)
            case 2:
                mapping.pairs.append((key, value))
            case 3:
                mapping.pairs.append((key.upper(), value))
            case 4 | 5:
                mapping.pairs[index] = (key, self._random.choice(REPLACEMENTS))
            case 6:
                mapping.pairs[index] = (
                    self._random.choice(("${{ github.ref }}", "${{ insert }}")),
                    value,
                )
            case 7:
                mapping.pairs.insert(index, (self._random.choice(("name", "foo", "<<", "if")), "x"))

    def broken(self, text: str) -> str:
        """Return a text with one line changed."""
        lines = text.split("\n")
        index = self._random.randrange(len(lines))
        match self._random.randrange(5):
            case 0:
                del lines[index]
            case 1:
                lines.insert(index, lines[index])
            case 2:
                lines[index] = " " + lines[index]
            case 3:
                lines[index] = "\t" + lines[index]
            case 4:
                lines[index] = lines[index] + self._random.choice((" # comment", ":", " [", " 'x"))
        return "\n".join(lines)


def _nodes(root: Tree) -> list[Tree]:
    found: list[Tree] = [root]
    for node in found:
        if isinstance(node, Mapping):
            found.extend(value for _, value in node.pairs)
        elif isinstance(node, Sequence):
            found.extend(node.items)
    return found


def render(tree: Tree, rng: random.Random) -> str:
    """Write a tree as YAML in block style, small parts also in flow style."""
    return "\n".join(_lines(tree, rng, 0)) + "\n"


def _lines(tree: Tree, rng: random.Random, depth: int) -> list[str]:
    if isinstance(tree, str):
        head, *rest = tree.split("\n")
        return [head, *rest]
    if isinstance(tree, Mapping):
        return _mapping_lines(tree, rng, depth) if tree.pairs else ["{}"]
    return _sequence_lines(tree, rng, depth) if tree.items else ["[]"]


def _mapping_lines(mapping: Mapping, rng: random.Random, depth: int) -> list[str]:
    lines: list[str] = []
    for key, value in mapping.pairs:
        inner = _lines(value, rng, depth + 1)
        if isinstance(value, str) or inner in (["{}"], ["[]"]):
            lines.append(f"{key}: {inner[0]}".rstrip())
            lines += [f"  {line}" for line in inner[1:]]
        else:
            anchor = f" &a{depth}" if rng.random() < 0.02 else ""
            comment = " # why" if rng.random() < 0.03 else ""
            lines.append(f"{key}:{anchor}{comment}")
            lines += [f"  {line}" for line in inner]
    return lines


def _sequence_lines(sequence: Sequence, rng: random.Random, depth: int) -> list[str]:
    plain = [item for item in sequence.items if isinstance(item, str)]
    if len(plain) == len(sequence.items) and rng.random() < 0.3 and _fits_flow(plain):
        return ["- " + item for item in plain]
    lines: list[str] = []
    for item in sequence.items:
        inner = _lines(item, rng, depth + 1)
        lines.append(f"- {inner[0]}".rstrip())
        lines += [f"  {line}" for line in inner[1:]]
    return lines


def _fits_flow(items: list[str]) -> bool:
    return not any(set(item) & set("\n{}[],#:&*!|>'\"") for item in items)
