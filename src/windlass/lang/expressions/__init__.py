"""The expression language of `${{ … }}`: parse once, evaluate often, explain on demand.

    compiled = compile_expression("github.ref == 'refs/heads/main'", contexts=["github"])
    if isinstance(compiled, Fault): …            # GitHub's message and where
    value = compiled.evaluate({"github": {…}})   # plain Python data, or a Fault

Values are plain Python data, as `json.loads` returns it. `UNKNOWN` inside the contexts stands for a
result still to come and is understood by `evaluate_partial`, `decide` and `explain` only.
"""

from windlass.lang.expressions.comparison import is_equal
from windlass.lang.expressions.compiled import Compiled, compile_expression
from windlass.lang.expressions.faults import Fault, FaultError
from windlass.lang.expressions.functions import BUILT_IN, FunctionInfo
from windlass.lang.expressions.json_text import from_json, read_json, to_json
from windlass.lang.expressions.lookup import look_up
from windlass.lang.expressions.parser import parse
from windlass.lang.expressions.references import (
    PropertyReference,
    references,
)
from windlass.lang.expressions.syntax import Node
from windlass.lang.expressions.trace import Trace, holds_unknown, truthiness
from windlass.lang.expressions.values import (
    UNKNOWN,
    CaseSensitive,
    Kind,
    Unknown,
    Value,
    is_primitive,
    is_truthy,
    kind_of,
    to_number,
    to_text,
)

__all__ = [
    "BUILT_IN",
    "UNKNOWN",
    "CaseSensitive",
    "Compiled",
    "Fault",
    "FaultError",
    "FunctionInfo",
    "Kind",
    "Node",
    "PropertyReference",
    "Trace",
    "Unknown",
    "Value",
    "compile_expression",
    "from_json",
    "holds_unknown",
    "is_equal",
    "is_primitive",
    "is_truthy",
    "kind_of",
    "look_up",
    "parse",
    "read_json",
    "references",
    "to_json",
    "to_number",
    "to_text",
    "truthiness",
]
