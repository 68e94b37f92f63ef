"""What `windlass actions` prints: changes of the lock file, and what is wrong."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import Sources, diagnostic_as_json, exit_code_for, print_diagnostics
from windlass.cli.terminal import open_terminal, visible
from windlass.lang.diagnostics import Severity
from windlass.operations.action_locks import LOCK_FILE

if TYPE_CHECKING:
    from windlass.cli.terminal import Terminal
    from windlass.operations.locking import LockReport, PinChange, VerifyReport

FAILURE_EXIT_CODE = 1
_SHORT_SHA = 12


def show_lock(report: LockReport, *, as_json: bool) -> int:
    """Print what changed in the lock file and return the exit code."""
    failed = exit_code_for(report.diagnostics)
    terminal = open_terminal(sys.stdout)
    if as_json:
        terminal.write(json.dumps(_lock_as_json(report, written=not failed), indent=2) + "\n")
        return failed
    print_diagnostics(open_terminal(sys.stderr), report.diagnostics, Sources(report.root))
    if failed:
        terminal.write(f"{LOCK_FILE} is left as it was\n")
        return failed
    for change in report.changes:
        terminal.write(f"{_describe(change, terminal)}\n")
    count = len(report.pins)
    changed = f"{len(report.changes)} changed" if report.changes else "nothing changed"
    terminal.write(f"{LOCK_FILE}: {count} ref{'s' * (count != 1)}, {changed}\n")
    return 0


def show_verification(report: VerifyReport, *, as_json: bool) -> int:
    """Print what does not hold and return the exit code: 1 where there is an error."""
    failed = any(found.severity is Severity.ERROR for found in report.diagnostics)
    terminal = open_terminal(sys.stdout)
    if as_json:
        rows = [diagnostic_as_json(found) for found in report.diagnostics]
        content = {"repositories": dict(report.pins), "diagnostics": rows}
        terminal.write(json.dumps(content, indent=2) + "\n")
    else:
        print_diagnostics(open_terminal(sys.stderr), report.diagnostics, Sources(report.root))
        count = len(report.pins)
        verdict = "does not hold" if failed else "holds"
        terminal.write(f"{LOCK_FILE} {verdict}: {count} ref{'s' * (count != 1)} looked at\n")
    return FAILURE_EXIT_CODE if failed else 0


def _describe(change: PinChange, terminal: Terminal) -> str:
    key, before, after = visible(change.key), change.before[:_SHORT_SHA], change.after[:_SHORT_SHA]
    if not before:
        return f"{terminal.paint('+', 'green')} {key} {after}"
    if not after:
        return f"{terminal.paint('-', 'red')} {key} {before}"
    return f"{terminal.paint('~', 'yellow')} {key} {before} → {after}"


def _lock_as_json(report: LockReport, *, written: bool) -> dict[str, object]:
    return {
        "written": written,
        "repositories": dict(report.pins),
        "changes": [
            {"ref": it.key, "before": it.before or None, "after": it.after or None}
            for it in report.changes
        ],
        "diagnostics": [diagnostic_as_json(found) for found in report.diagnostics],
    }
