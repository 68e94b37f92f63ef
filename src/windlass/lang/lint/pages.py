"""The reference pages of the rules: written from what each rule says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint import shellcheck
from windlass.lang.lint.catalogue import all_rules

if TYPE_CHECKING:
    from windlass.lang.lint.rule import Rule

_INTRODUCTION = """\
# Lint rules

`windlass lint` reads every workflow and runs these rules over it. An **error** is something that
GitHub refuses, that fails, or that never does what is written; a **warning** may be meant; a
**notice** is worth knowing. [The guide](../../guides/lint.md) tells how to run it and how to ignore
a finding.

What GitHub's own reader refuses (unknown keys, wrong types, bad expressions, `needs` that name no
job, wrong inputs of called workflows) is reported in GitHub's words and is not listed here.

| Rule | Severity | What it finds |
|---|---|---|
"""


def write_pages() -> dict[str, str]:
    """Return all pages by file name: the index, and one for each rule."""
    pages = {f"{rule.code}.md": write_rule(rule) for rule in all_rules()}
    return {"README.md": write_index(), **pages, f"{shellcheck.CODE}.md": _write_shellcheck()}


def write_index() -> str:
    """Return the table of all rules."""
    rows = [(rule.code, str(rule.severity), rule.summary) for rule in all_rules()]
    rows.append((shellcheck.CODE, "warning", "what ShellCheck finds in scripts"))
    return _INTRODUCTION + "".join(
        f"| [{code}]({code}.md) | {severity} | {summary} |\n"
        for code, severity, summary in sorted(rows)
    )


def write_rule(rule: Rule) -> str:
    """Return the page of one rule."""
    parts = [
        f"# {rule.code}",
        f"**{rule.severity}** · {rule.summary}",
        rule.text.strip(),
        "## Before",
        _code("yaml", rule.before),
        "## After",
        _code("yaml", rule.after),
    ]
    if rule.files:
        parts.append("## Beside it")
        parts += [f"`{path}`:\n\n{_code('', text)}" for path, text in rule.files.items()]
    if rule.is_for_actions:
        parts.append("The steps of composite actions are checked as well.")
    parts.append(f"To ignore it in a line: `# windlass: ignore[{rule.code}]`")
    return "\n\n".join(parts) + "\n"


def _write_shellcheck() -> str:
    text = (shellcheck.__doc__ or "").strip()
    ignore = f"To ignore it in a line: `# windlass: ignore[{shellcheck.CODE}]`"
    head = f"# {shellcheck.CODE}\n\n**warning** · what ShellCheck finds in scripts"
    return f"{head}\n\n{text}\n\n{ignore}\n"


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
