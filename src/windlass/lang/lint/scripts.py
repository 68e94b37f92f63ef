"""The text of `run` scripts, with expressions blanked out, and what they set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.tokens import ExpressionToken, StringToken

if TYPE_CHECKING:
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import RunStep

_BRACES = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_LITERAL_WRITE = re.compile(r"""^\s*(?:echo|printf)\s+(?:-\w+\s+)*["']?[A-Za-z_][\w-]*(?:=|<<)""")
_CALL = re.compile(r"^\s*(?:set|echo|printf|if|then|else|fi|for|do|done|exit|#|\w+=)|^\s*$")


def script_text(run: Token) -> str:
    """Return a script as written; the characters of expressions become underscores."""
    if isinstance(run, StringToken):
        return run.value
    if isinstance(run, ExpressionToken):
        return _BRACES.sub(lambda found: re.sub(r"[^\n]", "_", found[0]), run.source)
    return ""


def sets_output(step: RunStep, name: str) -> bool:
    """Say whether a script may set an output; only what cannot be is False."""
    text = script_text(step.run)
    if "set-output" in text or re.search(
        rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE
    ):
        return "GITHUB_OUTPUT" in text or "set-output" in text or _calls_programs(text)
    if "GITHUB_OUTPUT" not in text:
        return _calls_programs(text)
    writes = [line for line in _with_marks(step.run).splitlines() if "GITHUB_OUTPUT" in line]
    return not all(_LITERAL_WRITE.match(line) for line in writes)


def _with_marks(run: Token) -> str:
    """Return a script with a `$` for each expression, which no literal name holds."""
    return _BRACES.sub("$", run.source) if isinstance(run, ExpressionToken) else script_text(run)


def _calls_programs(text: str) -> bool:
    """Say whether a script does more than print and assign."""
    return not all(_CALL.match(line) for line in text.splitlines())
