"""`if:` keys: the implicit `success() && (…)` around a condition without a status function.

Source: actions/languageservices, workflow-parser/src/model/converter/if-condition.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.expressions import Fault, parse
from windlass.lang.expressions.syntax import Call, children
from windlass.lang.scalars import check_expression, function_infos
from windlass.lang.schema.definitions import NOTHING
from windlass.lang.schema.workflow import workflow_schema
from windlass.lang.tokens import ExpressionToken
from windlass.lang.workflow.expectations import expect_string
from windlass.lang.workflow.model import Condition

if TYPE_CHECKING:
    from windlass.lang.expressions import Node
    from windlass.lang.problems import Problems
    from windlass.lang.schema.definitions import Availability
    from windlass.lang.tokens import Token

STATUS_FUNCTIONS = frozenset({"success", "failure", "cancelled", "always"})


def convert_condition(
    problems: Problems, token: Token, available: Availability, code: str = "condition"
) -> Condition:
    """Return the condition of a job, a step or a snapshot.

    `available` is what the condition may use. One that cannot be parsed is recorded.
    """
    if isinstance(token, ExpressionToken):
        text, source = token.expression, token.source
    else:
        source = expect_string(token).value
        text = source.strip()
    expression = with_status_function(text, available)
    message = check_expression(expression, available)
    if message is not None:
        problems.add(code, message, token.span)
    return Condition(expression, source, token.span)


def condition_availability(definition: str) -> Availability:
    """Return what a workflow's conditions may use: `job-if`, `step-if` or `snapshot-if`."""
    return workflow_schema().place(definition, NOTHING).available


def with_status_function(text: str, available: Availability) -> str:
    """Return what is evaluated for a condition; an empty one is `success()`."""
    if not text:
        return "success()"
    tree = parse(text, contexts=available.contexts, functions=function_infos(available))
    if isinstance(tree, Fault) or _calls_status_function(tree):
        return text
    return f"success() && ({text})"


def _calls_status_function(root: Node) -> bool:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and node.name.lower() in STATUS_FUNCTIONS:
            return True
        waiting.extend(children(node))
    return False
