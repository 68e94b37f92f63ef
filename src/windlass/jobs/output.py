"""Reads a step's process to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.errors import ExecutorError, PlatformError
from windlass.jobs.log import LineSplitter
from windlass.stores.log_index import Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.jobs.executors.interface import Process
    from windlass.jobs.log import Problem, StepLog


def read_to_end(
    process: Process,
    log: StepLog,
    find_command: Callable[[str], Callable[[], None] | None],
    refuse_line: Callable[[str], bool],
    find_problems: Callable[[bytes], Iterable[Problem]] | None = None,
) -> int:
    """Hand a process's output on, line by line, and return its exit code.

    `find_command`, `refuse_line` and `find_problems` are those of `LineSplitter`. A process whose
    output cannot be kept is killed: nothing of it is lost unseen.

    Raises:
        ExecutorError: the process could not be watched to its end, or its output not be kept.
    """
    lines = LineSplitter(log, find_command, refuse_line, Taken(process.number), find_problems)
    try:
        while block := process.read():
            lines.feed(block)
            process.release(lines.taken)
        lines.finish()
        process.release(lines.taken)
        return process.wait()
    except OSError as error:
        process.kill()
        raise ExecutorError(
            f"The output of the step cannot be kept: {error.strerror}. The step was ended."
        ) from error
    except PlatformError as error:
        process.kill()
        raise ExecutorError(f"{error.message}. The step was ended.", hint=error.hint) from error
    except BaseException:
        process.kill()
        raise
