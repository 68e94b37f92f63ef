"""What a step tells of errors of the system."""

from __future__ import annotations

import pytest

from windlass.jobs.masking import Masker
from windlass.jobs.reports import StepReporter
from windlass.protocol.events import Annotation, RunEvent


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(FileNotFoundError(2, "No such file", "a/b"), "No such file: 'a/b'", id="file"),
        pytest.param(OSError(28, "No space left"), "No space left", id="no file"),
        pytest.param(OSError("odd"), "odd", id="no words of the system"),
        pytest.param(OSError(2, "Hidden", "/secret/x"), "Hidden: '/***/x'", id="secret"),
    ],
)
def test_what_the_system_refuses(error: OSError, message: str) -> None:
    """The error is told with the file that it names, if it names one."""
    seen: list[RunEvent] = []
    StepReporter("a", "s", Masker(["secret"]), seen.append).annotate_refusal(error)

    assert seen == [Annotation(job="a", step="s", level="error", message=message)]
