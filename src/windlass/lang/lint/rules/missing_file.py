"""Files of the repository that a workflow names must be there.

Looked at are scripts (`./tools/x.sh`, `bash tools/x.sh`, `python tools/x.py`), the files that `pip`
takes with `-r` and `docker` with `-f`, `working-directory`, and file inputs of well-known actions.
A file that an earlier step may have made, that comes from another checkout, or whose name is an
expression is not reported. It is a warning where a build may make the file: where even its folder
is not in the repository, and nothing there has a similar name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.named_files import named_files
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find names of files that do not exist and that no step can have made."""
    files = subject.repository.files
    for named in named_files(subject):
        if any(files.exists(path) for path in named.candidates):
            continue
        yield Finding(
            message=f"there is no {named.what} `{named.candidates[0]}` in the repository",
            span=named.span,
            severity=None if named.is_certain else Severity.WARNING,
            hint="the path is taken from the repository's root and the `working-directory`",
        )


RULE = Rule(
    code="missing-file",
    severity=Severity.ERROR,
    summary="a script, folder or file is named that is not in the repository",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: ./tools/relase.sh
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: ./tools/release.sh
""",
    check=check,
    files={
        "tools/release.sh": """\
#!/bin/sh
exit 0
""",
    },
)
