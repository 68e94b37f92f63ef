"""The types of expressions: what contexts hold in one place of a workflow, and what follows."""

from windlass.lang.lint.types.inference import Inference
from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    Anything,
    ListOf,
    Record,
    Scalar,
    Text,
    Type,
)
from windlass.lang.lint.types.problems import Problem

__all__ = [
    "ANY",
    "BOOLEAN",
    "NULL",
    "NUMBER",
    "TEXT",
    "Anything",
    "Inference",
    "ListOf",
    "Problem",
    "Record",
    "Scalar",
    "Text",
    "Type",
]
