"""Several processes that share work, each with a server and databases of its own."""

from __future__ import annotations

import os
import struct
import traceback
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.chaos.processes import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NUMBER: Final = struct.Struct("<I")
_MOST_NUMBERS: Final = 8000
"""So many fit into a pipe that nobody reads yet."""


class Numbers:
    """The numbers from 0 on, which several processes take, each of them once."""

    def __init__(self, count: int) -> None:
        assert count <= _MOST_NUMBERS, f"{count} are more than fit: take a share of them"
        self._reading, writing = os.pipe()
        os.write(writing, b"".join(_NUMBER.pack(number) for number in range(count)))
        os.close(writing)

    def __iter__(self) -> Iterator[int]:
        while data := os.read(self._reading, _NUMBER.size):
            yield int(_NUMBER.unpack(data)[0])

    def close(self) -> None:
        """Let nobody take any more."""
        os.close(self._reading)


def share_out(workers: int, work: Callable[[int], Counter[str]]) -> Counter[str]:
    """Have so many processes work, and return the sum of what they have counted.

    Raises:
        AssertionError: one of them has failed.
    """
    told = os.memfd_create("counts", 0)
    os.set_inheritable(told, True)
    children = [_fork(worker, work, told) for worker in range(workers)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    lines = os.pread(told, os.fstat(told).st_size, 0).decode().splitlines()
    os.close(told)
    assert not any(codes), f"workers ended with {codes}"
    counts: Counter[str] = Counter()
    for name, _, count in (line.rpartition(" ") for line in lines):
        counts[name] += int(count)
    return counts


def _fork(worker: int, work: Callable[[int], Counter[str]], told: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # Each is the parent of its own orphans.
        prepare()
        counts = work(worker)
        os.write(told, "".join(f"{name} {count}\n" for name, count in counts.items()).encode())
        code = 0
    except BaseException:  # noqa: BLE001 (this process ends here)
        traceback.print_exc()
    finally:
        os._exit(code)
