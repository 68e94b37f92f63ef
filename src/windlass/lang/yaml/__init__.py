"""YAML with positions: text in, a tree of nodes out."""

from windlass.lang.yaml.composer import Document, parse_yaml
from windlass.lang.yaml.nodes import MappingNode, Node, ScalarNode, ScalarStyle, SequenceNode

__all__ = [
    "Document",
    "MappingNode",
    "Node",
    "ScalarNode",
    "ScalarStyle",
    "SequenceNode",
    "parse_yaml",
]
