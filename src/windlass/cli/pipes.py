"""Writing to a stream whose reader may go away, as in `windlass plan | head`."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


_GONE = (errno.EPIPE, errno.EIO)
"""A pipe without a reader; a terminal that was closed."""


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
