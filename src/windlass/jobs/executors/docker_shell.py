"""What runs in a job's container: one shell that starts every step, and what it is told.

The shell is the container's first process. It listens on its standard input, which Windlass and the
job's supervisor hold open: when both are gone it kills everything and ends, and the container with
it. Where it is not the first process (`--init`, `--pid`), it only ends, and the daemon kills the
rest. Its arguments are the folder in which it is spoken to and, where that is not `/bin/sh` of the
image, the words that run a script.

A **slot** is a shell below it that runs one step at a time, named on the slot's own FIFO; there are
as many as steps run at once. Steps are started in the foreground of a slot, never with `&`: a shell
lets what it starts so ignore SIGINT, and nothing could undo that.

A step is a script too, which comes through a FIFO: what is secret in it gets to no disk and into
no argument. It says on `N.end` that it starts (its process id) or why it cannot (`!` and the number
of the error), its slot says there how it ended.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READY: Final = b"ready"
BLIND: Final = b"blind"
"""The shell's first word: it can be told of steps, or it does not see the job's folder."""

LISTENER: Final = r"""
D=$1; shift
slot() {
  exec 3<&- <>"$D/slot$1" >/dev/null 2>&1
  while read -r n; do
    { (exec $R "$D/$n" </dev/null >"$D/$n.out" 2>&1); echo "$?" >&9; } 9>"$D/$n.end"
  done
}
end_tree() {
  kill -STOP "$1"
  for f in /proc/[0-9]*/stat; do
    read -r s <"$f" || continue
    r=${s##*) }; r=${r#* }
    if [ "${r%% *}" = "$1" ]; then (end_tree "${s%% *}"); fi
  done
  kill -KILL "$1"
}
serve() {
  while read -r word a b <&3; do
    case $word in
      slot) slot "$a" | serve; exit;;
      tree) (end_tree "$a"); kill -KILL "-$a";;
      signal) kill "-$a" "-$b" || kill "-$a" "$b";;
    esac
  done 2>/dev/null
  # Where it is not the first process, the others may be the machine's (`--pid host`).
  if [ $$ = 1 ]; then kill -KILL -1; else kill -KILL $$; fi
}
R=${*:-$(command -v setsid) /bin/sh}
[ -p "$D/slot1" ] || { echo blind; exit 1; }
exec 3<&0
echo "ready $(command -v bash) $(command -v sh)"
slot 1 | serve
"""

FIND: Final = (
    'IFS=:; for d in $WHERE; do if [ -f "$d/$NAME" ] && [ -x "$d/$NAME" ]; then '
    'printf %s "${d%/}/$NAME"; exit; fi; done'
)

_EXPORTABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS_OWN: Final = frozenset(
    ("BASHOPTS", "BASH_VERSINFO", "EUID", "GROUPS", "LINENO", "OPTIND", "PPID", "SHELLOPTS", "UID")
)
"""What some shell refuses to be given, or would change."""
_REFUSED: Final = "{ echo '!%d' >&9; exit 126; }"


def is_exportable(name: str) -> bool:
    """Tell whether a shell can hand a variable of this name on to what it starts."""
    return _EXPORTABLE.fullmatch(name) is not None and name not in _SHELLS_OWN


def write_step(
    arguments: Sequence[str], variables: Mapping[str, str], folder: str, *, without: Sequence[str]
) -> bytes:
    """Return the script that becomes the program of a step; `arguments[0]` is a full path.

    The program gets these variables; `without` are names that the shell has and it does not.
    """
    program = shlex.quote(arguments[0])
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines = [
        f"cd {shlex.quote(folder)} 2>/dev/null || {_REFUSED % 2}",
        f"[ -f {program} ] || {_REFUSED % 2}",
        f"[ -x {program} ] || {_REFUSED % 13}",
        'echo "$$" >&9',
        f"unset PWD OLDPWD {' '.join(filter(is_exportable, without))}",
        *exports,
        f"exec {shlex.join(arguments)} 9>&-",
    ]
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")
