"""A script that `npm run` or `pnpm run` names must be in `package.json`.

Looked at is the `package.json` of the step's folder. Calls with options that choose another package
(`--filter`, `--prefix`, `-w`) or allow a script to be missing (`--if-present`) are not checked, nor
is yarn, which also runs programs and scripts of other workspaces.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.checkout import has_own_tree
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.named_files import script_before_change, working_directory
from windlass.lang.lint.places import literal_text
from windlass.lang.lint.repository import join
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.repository import Repository
    from windlass.lang.lint.subject import Subject

_RUN = re.compile(
    r"^[ \t]*(?:(?:npm|pnpm)[ \t]+run[ \t]+(?P<run>[\w:.-]+)|pnpm[ \t]+(?P<short>[\w.-]+:[\w:.-]+))"
    r"(?=[ \t]*$|[ \t]*[&|;>]|[ \t]+(?!-)\S|[ \t]+--[ \t])",
    re.MULTILINE,
)

_BUILT_IN = frozenset({"env"})
"""What npm runs without a script of that name."""


def check(subject: Subject) -> Iterator[Finding]:
    """Find names of scripts that the package does not have."""
    for place, step in subject.run_steps:
        folder = working_directory(subject, place, step)
        if not has_own_tree(place.job) or (folder is not None and literal_text(folder) is None):
            continue
        path = join(literal_text(folder) or "", "package.json")
        for found in _RUN.finditer(script_before_change(step)):
            name = found["run"] or found["short"]
            known = _scripts(subject.repository, path)
            if known is not None and name not in known and name not in _BUILT_IN:
                near = difflib.get_close_matches(name, known, n=1)
                yield Finding(
                    message=f"`{path}` has no script `{name}`",
                    span=subject.span_in_script(step.run, found.start(), found.end()),
                    hint=f"did you mean `{near[0]}`?" if near else None,
                )


def _scripts(repository: Repository, path: str) -> frozenset[str] | None:
    content = repository.files.read(path)
    try:
        package = json.loads(content) if content is not None else None
    except (ValueError, RecursionError):
        return None
    scripts = package.get("scripts", {}) if isinstance(package, dict) else None
    return frozenset(scripts) if isinstance(scripts, dict) else None


RULE = Rule(
    code="missing-script",
    severity=Severity.ERROR,
    summary="`npm run` names a script that `package.json` does not have",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm run biuld
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm run build
""",
    check=check,
    files={"package.json": '{"scripts": {"build": "tsc"}}\n'},
)
