"""What an expression looks at: the context properties and functions it names."""

from __future__ import annotations

from typing import NamedTuple

from windlass.lang.expressions.syntax import Call, Context, Index, Literal, Node, Wildcard, walk


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


class FunctionReference(NamedTuple):
    """A call of a function, by the function's own spelling."""

    name: str
    arguments: int
    start: int
    end: int


class References(NamedTuple):
    """Everything an expression names, in the order of the text."""

    properties: tuple[PropertyReference, ...]
    functions: tuple[FunctionReference, ...]

    def uses_context(self, name: str) -> bool:
        """Tell whether any part of a context is read."""
        return any(found.context == name.lower() for found in self.properties)

    def uses_function(self, *names: str) -> bool:
        """Tell whether one of the functions is called; names have no case."""
        wanted = {name.lower() for name in names}
        return any(found.name.lower() in wanted for found in self.functions)


def references(node: Node) -> References:
    """Return which context properties and functions a tree names.

    `a.b.c` counts once, as the longest path; an index such as `a[b.c]` counts for itself as well.
    """
    properties: list[PropertyReference] = []
    functions: list[FunctionReference] = []
    inner: set[int] = set()
    for found in walk(node):
        if isinstance(found, Call):
            functions.append(
                FunctionReference(found.name, len(found.arguments), found.start, found.end)
            )
        elif isinstance(found, Context | Index) and id(found) not in inner:
            path = _path(found, inner)
            if path is not None:
                properties.append(PropertyReference(path, found.start, found.end))
    return References(tuple(properties), tuple(functions))


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
