"""What an expression looks at: the context properties it names."""

from __future__ import annotations

from typing import NamedTuple

from windlass.lang.expressions.syntax import Context, Index, Literal, Node, Wildcard, walk


class PropertyReference(NamedTuple):
    """A context or something in it, such as ('needs', 'build', 'outputs', 'version').

    The context's name is in lower case, the rest as written; '*' stands for `.*` and None for an
    index that is itself an expression. `start` and `end` are where it stands in the text.
    """

    path: tuple[str | None, ...]
    start: int
    end: int

    @property
    def context(self) -> str:
        """The name of the context, in lower case."""
        return self.path[0] or ""


def references(node: Node) -> tuple[PropertyReference, ...]:
    """Return which context properties a tree names, in the order of the text.

    `a.b.c` counts once, as the longest path; an index such as `a[b.c]` counts for itself as well.
    """
    properties: list[PropertyReference] = []
    inner: set[int] = set()
    for found in walk(node):
        if isinstance(found, Context | Index) and id(found) not in inner:
            path = _path(found, inner)
            if path is not None:
                properties.append(PropertyReference(path, found.start, found.end))
    return tuple(properties)


def _path(node: Node, inner: set[int]) -> tuple[str | None, ...] | None:
    """Return the path a node spells, noting the nodes inside it; None if no context is its root."""
    keys: list[str | None] = []
    while isinstance(node, Index):
        keys.append(_key(node))
        node = node.target
        inner.add(id(node))
    if not isinstance(node, Context):
        return None
    return (node.name.lower(), *reversed(keys))


def _key(node: Index) -> str | None:
    if isinstance(node.key, Wildcard):
        return "*"
    if isinstance(node.key, Literal) and isinstance(node.key.value, str):
        return node.key.value
    return None
