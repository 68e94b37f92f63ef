"""Signals and orders as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.engine.journals.codec import (
    decode_outlines,
    decode_signal,
    encode_outlines,
    encode_signal,
    outline,
)
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.plan.decision import Decision, Verdict
from windlass.plan.orders import CancelJob, DropJob, FinishRun, RejectJob, SkipJob
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
    RunStarted,
    Signal,
)

TEXTS = st.text(st.characters())  # surrogates too: names of files are bytes
SIGNALS: st.SearchStrategy[Signal] = st.one_of(
    st.builds(RunStarted),
    st.builds(
        JobFinished,
        TEXTS,
        st.sampled_from(Result),
        st.dictionaries(TEXTS, TEXTS),
        st.booleans(),
    ),
    st.builds(CancelRequested, TEXTS),
    st.builds(JobCancelRequested, TEXTS, TEXTS),
    st.builds(GroupEntered, TEXTS),
    st.builds(GroupDenied, TEXTS, TEXTS),
)


@given(SIGNALS)
def test_a_signal_comes_back_equal(signal: Signal) -> None:
    """Whatever a signal holds, it is the same when it is read, and one line in between."""
    text = encode_signal(signal)

    assert decode_signal(text) == signal
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"v": 1}', "cannot be read: KeyError"),
        ('{"v": 1, "signal": "moon-rose"}', "cannot be read: KeyError"),
        ('{"v": 1, "signal": "run-started", "key": "a"}', "cannot be read: TypeError"),
        ('{"v": 1, "signal": "job-finished", "key": "a", "result": "good"}', "cannot be read"),
        ('{"v": 2, "signal": "run-started"}', r"another version of Windlass \(format 2"),
    ],
)
def test_what_is_no_signal_is_refused(text: str, message: str) -> None:
    """A damaged journal is an error of the platform that says what was found."""
    with pytest.raises(PlatformError, match=message):
        decode_signal(text)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SkipJob("a", "A", Decision(Verdict.SKIP, "no")), ("skip-job", "a")),
        (DropJob("a", "A", "why"), ("drop-job", "a")),
        (RejectJob("a", "A", "why"), ("reject-job", "a")),
        (CancelJob("a / b (1)", "why"), ("cancel-job", "a / b (1)")),
        (FinishRun(Result.SUCCESS), ("finish-run", "success")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_outline_of_an_order(order: SkipJob, expected: tuple[str, str]) -> None:
    """An order is kept as its kind and its subject."""
    assert outline(order) == expected
    assert decode_outlines(encode_outlines([expected, expected])) == (expected, expected)


@pytest.mark.parametrize("text", ["", "5", '["a"]', '[["a", "b", "c"]]'])
def test_what_is_no_list_of_outlines_is_refused(text: str) -> None:
    """A damaged journal is an error of the platform."""
    with pytest.raises(PlatformError, match="cannot be read"):
        decode_outlines(text)


def test_the_format_is_the_one_that_is_documented() -> None:
    """A journal that exists today can be read tomorrow: the text itself is held."""
    signal = JobFinished("build", Result.FAILURE, {"tag": "v1"}, started=False)
    text = (
        '{"v": 1, "signal": "job-finished", "key": "build", "result": "failure", '
        '"outputs": {"tag": "v1"}, "started": false}'
    )

    assert json.loads(encode_signal(signal)) == json.loads(text)
    assert decode_signal(text) == signal
