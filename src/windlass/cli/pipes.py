"""Streams that go away, as in `windlass plan | head`, or were never there: `windlass run >&-`."""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


_GONE = (errno.EPIPE, errno.EIO)
"""A pipe without a reader; a terminal that was closed."""


def open_missing_streams() -> None:
    """Open nothing in place of standard streams that are closed.

    Otherwise the next file or pipe would get the number of one of them, and what is meant for the
    stream would end up there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Numbers are given out from the lowest, so this is the one that is missing.
            os.open(os.devnull, os.O_RDWR)
            mode = "r" if number == 0 else "w"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # stays open
            setattr(sys, name, stream)


def write(stream: TextIO, text: str) -> None:
    """Write and flush; once the reader has gone away, this and all further text is dropped.

    Raises OSError where the text cannot be written for another reason: a full disk.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        _discard_writes(stream)
        if error.errno not in _GONE:
            raise


def _discard_writes(stream: TextIO) -> None:
    """Point the stream at nothing, so that neither later writes nor Python's end complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
