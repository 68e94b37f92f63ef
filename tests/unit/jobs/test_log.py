"""The way of output: blocks in, masked lines out, commands taken aside."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.jobs import log
from windlass.jobs.log import LONGEST_LINE_BYTES, LineSplitter, StepLog
from windlass.jobs.masking import Masker
from windlass.stores.log_index import NOTHING_TAKEN, Taken

if TYPE_CHECKING:
    from collections.abc import Callable


class Reader:
    """A splitter whose commands are the lines with `::cmd::`."""

    def __init__(self, *secrets: str) -> None:
        self.texts: list[str] = []
        self.commands: list[str] = []
        self.log = StepLog(Masker(secrets), self.texts.append)
        self.splitter = LineSplitter(self.log, self._find, self._refuse)

    def _find(self, line: str) -> Callable[[], None] | None:
        is_command = line.strip().startswith("::cmd::")
        return functools.partial(self._carry_out, line) if is_command else None

    def _carry_out(self, line: str) -> None:
        self.commands.append(f"{line}|{len(''.join(self.texts))}")
        self.log.flush()

    def _refuse(self, beginning: str) -> bool:
        return beginning.startswith("::cmd::")

    def read(self, *blocks: bytes) -> str:
        for block in blocks:
            self.splitter.feed(block)
        self.splitter.finish()
        return "".join(self.texts)


@pytest.mark.requirement("A20")
@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param([b"a\nb\n"], "a\nb\n", id="lines"),
        pytest.param([b"a\nb"], "a\nb", id="last-line-without-end"),
        pytest.param([b"a", b"b\n"], "ab\n", id="line-in-two-blocks"),
        pytest.param([b"a\r\nb\r\n"], "a\nb\n", id="crlf"),
        pytest.param([b"a\r", b"\nb"], "a\nb", id="crlf-in-two-blocks"),
        pytest.param([b"1%\r2%\r3%\n"], "1%\n2%\n3%\n", id="carriage-returns"),
        pytest.param([b"a\r", b"b"], "a\nb", id="carriage-return-at-end-of-block"),
        pytest.param([b"a\r\r\nb"], "a\n\nb", id="two-returns"),
        pytest.param([b"a\x00b\x1b[31m\n"], "a\x00b\x1b[31m\n", id="nul-and-escapes"),
        pytest.param([b"\xff\xfe\n"], "\ufffd\ufffd\n", id="not-utf-8"),
        pytest.param(["ä".encode()[:1], "ä".encode()[1:] + b"\n"], "ä\n", id="character-in-two"),
        pytest.param([b"\n\n"], "\n\n", id="empty-lines"),
        pytest.param([], "", id="nothing"),
        pytest.param([b"a::b\n##[x]\n"], "a::b\n##[x]\n", id="markers-but-no-command"),
        pytest.param([b"::cmd::x\n"], "", id="command-is-taken"),
        pytest.param([b"a\n::cmd::x\nb"], "a\nb", id="command-between-lines"),
        pytest.param([b"a\n  ::cm", b"d::x\nb\n"], "a\nb\n", id="command-in-two-blocks"),
        pytest.param([b"a\r::cmd::x\rb\n"], "a\nb\n", id="command-after-carriage-return"),
        pytest.param([b"::cmd::x"], "", id="command-without-end"),
        pytest.param(["\u2003::cmd::x\nü::\n".encode()], "ü::\n", id="wide-space"),
    ],
)
def test_lines(blocks: list[bytes], expected: str) -> None:
    """Whatever the blocks, the lines are the same."""
    assert expected == Reader().read(*blocks)


def test_what_precedes_a_command_comes_before_what_it_writes() -> None:
    """What a command hands on is handed on behind the lines before it."""
    reader = Reader()
    reader.read(b"one\n::cmd::a\ntwo\n::cmd::b\n")

    assert reader.commands == ["::cmd::a|0", "::cmd::b|4"]
    assert reader.texts == ["one\n", "two\n"]


def test_output_comes_in_batches() -> None:
    """A block of lines is one text."""
    reader = Reader()
    reader.splitter.feed(b"line\n" * 1000)

    assert reader.texts == ["line\n" * 1000]


def test_secret_across_blocks() -> None:
    """A secret that came in two blocks is hidden."""
    assert Reader("s3cret").read(b"x s3c", b"ret y\n") == "x *** y\n"


def test_long_line_is_broken() -> None:
    """A line over the limit is broken there, and nothing of it is lost."""
    text = Reader().read(*[b"x" * 65536] * 40, b"\n")
    lines = text.splitlines()

    assert [len(line) for line in lines] == [LONGEST_LINE_BYTES, LONGEST_LINE_BYTES, 524288]


def test_long_line_needs_little_memory() -> None:
    """Of a line of 100 MB never much more than the limit is held."""
    sizes: list[int] = []
    splitter = LineSplitter(
        StepLog(Masker(), lambda text: sizes.append(len(text))), lambda _: None, lambda _: False
    )
    block = b"x" * (1 << 16)
    for _ in range(1600):
        splitter.feed(block)
    splitter.finish()

    assert max(sizes) <= LONGEST_LINE_BYTES + 1
    assert sum(sizes) == 1600 * len(block) + len(sizes) - 1


def test_secret_across_the_break() -> None:
    """A line is not broken within a secret."""
    beginning = b"x" * (LONGEST_LINE_BYTES - 3)
    text = Reader("s3cret").read(beginning, b"s3cret", b"y" * 100, b"\n")

    assert text == f"{beginning.decode()}\n***{'y' * 100}\n"


def test_character_across_the_break() -> None:
    """A line is not broken within a character."""
    beginning = b"x" * (LONGEST_LINE_BYTES - 1)
    text = Reader().read(beginning + "\u20ac".encode() + b"y\n")

    assert "\ufffd" not in Reader().read(beginning + "\u20ac".encode(), b"z" * 70000)
    assert text.replace("\n", "") == f"{beginning.decode()}\u20acy"


def test_command_that_never_ends() -> None:
    """A line that begins like a command and never ends is left out: it may hold a secret."""
    blocks = [b"a\n::cmd::", *[b"x" * 65536] * 20, b"tail\nb\n"]

    assert Reader().read(*blocks) == "a\nb\n"


def test_tail_of_a_broken_line_is_no_command() -> None:
    """What follows a break does not begin a line."""
    reader = Reader()
    text = reader.read(b"x" * (LONGEST_LINE_BYTES), b"::cmd::x\nb\n")

    assert reader.commands == []
    assert text.endswith("::cmd::x\nb\n")


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"::", b"cmd::", b"s3c", b"ret", b" "])))
def test_blocks_do_not_matter(parts: list[bytes]) -> None:
    """Output in pieces reads like output in one piece."""
    whole = Reader("s3cret").read(b"".join(parts))

    assert whole == Reader("s3cret").read(*parts)
    assert "s3cret" not in whole


class Kept:
    """Takes blocks in the place of a job's log."""

    def __init__(self) -> None:
        self.blocks: list[tuple[bytes, Taken]] = []

    def write(self, step: str, data: bytes, taken: Taken = NOTHING_TAKEN) -> None:
        assert step == "step"
        self.blocks.append((data, taken))


def keep(blocks: list[bytes], since: Taken) -> list[tuple[bytes, Taken]]:
    """Return what comes into the log of a process's output; `::cmd` lines are carried out."""
    kept = Kept()
    step_log = StepLog(Masker(["hunter2"]), lambda _: None, writer=kept, step="step")

    def find(line: str) -> Callable[[], None] | None:
        # Another thread may hand on what there is at any moment, here while a line is looked at.
        step_log.flush()
        return step_log.flush if line.startswith("::cmd") else None

    lines = LineSplitter(step_log, find, lambda it: it.startswith("::cmd"), since)
    for block in blocks:
        lines.feed(block)
    lines.finish()
    return kept.blocks


SHORT = 40
PIECES = [
    b"a",
    b"hunter2",
    b"\n",
    b"\r",
    b"\r\n",
    b"::cmd x",
    b"::no",
    b"##[",
    "ä".encode(),
    b"\xff",
    b"x" * 35,
    b"\n::cmd" + b"y" * 45,
]


@settings(max_examples=200, deadline=None)
@given(
    blocks=st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), max_size=4),
    cut=st.floats(0, 1),
    middle=st.floats(0, 1),
)
def test_whoever_goes_on_loses_no_line_and_repeats_none(
    blocks: list[bytes], cut: float, middle: float
) -> None:
    """Cut after any block of the log, the rest of the output makes the rest of the log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "LONGEST_LINE_BYTES", SHORT)
        patch.setattr(log, "LARGEST_BLOCK_BYTES", 30)
        assert_can_go_on(blocks, cut, middle)


def assert_can_go_on(blocks: list[bytes], cut: float, middle: float) -> None:
    output = b"".join(blocks)
    whole = keep(blocks, Taken(1))
    known = whole[: round(cut * len(whole))]
    taken = known[-1][1] if known else Taken(1)
    rest = output[taken.offset :]
    half = round(middle * len(rest))
    others = keep([rest[:half], rest[half:]], taken)

    found, expected = join(known + others), join(whole)
    if max(map(len, output.splitlines()), default=0) > SHORT:
        # Where a long line is broken depends on the blocks it comes in.
        found, expected = found.replace(b"\n", b""), expected.replace(b"\n", b"")
    assert found == expected
    assert not whole or whole[-1][1].offset == len(output)


def join(blocks: list[tuple[bytes, Taken]]) -> bytes:
    return b"".join(data for data, _ in blocks)
