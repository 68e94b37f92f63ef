"""Hands on variables whose names no shell can: INPUT_NODE-VERSION and the like.

A shell drops them, and arguments of a process can be read by others. They travel in one variable
that can be exported, and are set by the program itself where it is Node.js, which loads a few lines
first, else by Perl or Python just before they become the program.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.executors.docker_shell import is_exportable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MORE: Final = "WINDLASS_MORE_VARIABLES"
PRELOAD: Final = "variables.js"
PRELOAD_TEXT: Final = f"""\
const more = process.env.{MORE};
delete process.env.{MORE};
for (const pair of more ? more.split(",") : []) {{
  const [name, value] = pair.split("=").map((text) => Buffer.from(text, "hex").toString());
  process.env[name] = value;
}}
const own = process.execArgv.indexOf("--require=" + __filename);
if (own >= 0) process.execArgv.splice(own, 1);
"""
_NODE: Final = re.compile(r"node(js)?(-?\d+)?")
_PERL: Final = (
    f'for (split /,/, delete $ENV{{{MORE}}}) {{ ($n, $v) = map {{ pack "H*", $_ }} '
    "split /=/, $_, -1; $ENV{$n} = $v } exec { $ARGV[0] } @ARGV; exit 126"
)
_PYTHON: Final = (
    f"import os,sys\nfor p in os.environb.pop(b'{MORE}').split(b','):\n"
    " n,v=map(bytes.fromhex,p.decode().split('='))\n os.environb[n]=v\n"
    "os.execv(sys.argv[1],sys.argv[1:])"
)


def arrange_variables(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    preload: str,
    find_program: Callable[[str], str | None],
) -> tuple[list[str], dict[str, str]]:
    """Return the command and the variables that a shell starts a program with.

    `command` begins with a full path; `preload` is where the container has `PRELOAD_TEXT`.

    Raises:
        ExecutorError: there is nothing in the image that could set the other variables.
    """
    exported = {name: value for name, value in variables.items() if is_exportable(name)}
    if len(exported) == len(variables):
        return list(command), exported
    others = {name: value for name, value in variables.items() if name not in exported}
    exported[MORE] = ",".join(f"{_encode(name)}={_encode(value)}" for name, value in others.items())
    if _NODE.fullmatch(PurePosixPath(command[0]).name):
        return [command[0], f"--require={preload}", *command[1:]], exported
    if perl := find_program("perl"):
        return [perl, "-e", _PERL, *command], exported
    if python := find_program("python3"):
        return [python, "-I", "-S", "-c", _PYTHON, *command], exported
    raise ExecutorError(
        f"The variable '{next(iter(others))}' cannot be handed on by a shell, and the image has "
        "neither Perl nor Python 3 to do it: give the variable a name of letters, digits and _"
    )


def _encode(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()
