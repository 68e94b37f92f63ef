"""The tree that a YAML file is read into; every node knows where it was written.

An alias is the node it refers to, so a node may occur in several places of the tree.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.positions import Span


class ScalarStyle(Enum):
    """How a scalar was written."""

    PLAIN = "plain"
    SINGLE_QUOTED = "'"
    DOUBLE_QUOTED = '"'
    LITERAL = "|"
    FOLDED = ">"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value: its text after unquoting, unescaping and folding.

    `tag` is the explicit tag (`tag:yaml.org,2002:str` for `!!str`). `source` is the text exactly
    as written, kept only where the value holds `${{`.
    """

    text: str
    style: ScalarStyle
    tag: str | None
    span: Span
    source: str = ""


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping, its pairs in the order of the file; keys may repeat."""

    pairs: tuple[tuple[Node, Node], ...]
    span: Span


Node: TypeAlias = "ScalarNode | SequenceNode | MappingNode"
