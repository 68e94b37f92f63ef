"""How much a file may hold: nodes, depth and bytes, each to the last one allowed.

Bytes are counted as actions/runner does (TemplateMemory.cs): 24 for a token, and for a text that is
not empty 26 and two a character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES
from windlass.lang.workflow import read_workflow

if TYPE_CHECKING:
    from windlass.lang.diagnostics import Diagnostic

TOKEN, TEXT = 24, 26
JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n"
HEAD = JOB + "    strategy:\n      matrix:\n"
HEAD_NODES = 18
"""7 collections, 8 keys and 3 values."""


def found(text: str) -> tuple[Diagnostic, ...]:
    return read_workflow("w.yml", text.encode()).diagnostics


def stop(text: str) -> tuple[str, str, str]:
    (one,) = found(text)
    return one.code, one.message, str(one.span and one.span.start)


def _matrix(values: int) -> str:
    """A matrix of so many nodes besides its first key, most of them aliases of one list."""
    hundreds, rest = divmod(values - 102, 100)
    listed = f"        a: &l [{', '.join(['1'] * 99)}]\n"
    return f"{HEAD}{listed}        b: [{', '.join(['*l'] * hundreds + ['1'] * rest)}]\n"


def test_nodes() -> None:
    """Every key, value and collection is a node, an alias each time it is used."""
    left = MAX_NODES - HEAD_NODES - 1

    assert found(_matrix(left)) == ()
    code, message, _ = stop(_matrix(left + 1))
    assert (code, message) == ("max-nodes", "Maximum YAML nodes exceeded")


def _nested(levels: int) -> str:
    return f"        a: [1]\n        b: {'[' * levels}1{']' * levels}\n"


def test_depth() -> None:
    """Collections may stand in so many others; what lies beside them does not count."""
    left = MAX_DEPTH - 5

    assert found(HEAD + _nested(left)) == ()
    assert stop(HEAD + _nested(left + 1))[:2] == ("max-depth", "Maximum object depth exceeded")


def test_depth_of_many_neighbours() -> None:
    """A hundred lists one after the other are no deeper than one."""
    lists = "".join(f"        k{number}: [1]\n" for number in range(2 * MAX_DEPTH))

    assert found(HEAD + lists) == ()


def _of_length(last: int) -> str:
    """A workflow of fifty large texts, one text of the given length and one that is empty."""
    variables = f"  k0: &a {'x' * 100_000}\n" + "".join(f"  k{n}: *a\n" for n in range(1, 50))
    return f"{JOB}env:\n{variables}  last: {'x' * last}\nname:\n"


def test_bytes() -> None:
    """An empty text is a token and nothing more; the stop points at the text that is too much."""
    head = ("on", "push", "jobs", "a", "runs-on", "x", "steps", "run", "x")
    texts = (*head, "env", *(f"k{n}" for n in range(50)), "last", "name")
    collections, empty_texts = 6, 1
    fixed = TOKEN * (collections + empty_texts) + 50 * (TOKEN + TEXT + 200_000)
    fixed += sum(TOKEN + TEXT + 2 * len(text) for text in texts)
    longest = (MAX_BYTES - fixed - TOKEN - TEXT) // 2

    assert found(_of_length(longest)) == ()
    assert stop(_of_length(longest + 1))[:2] == ("max-size", "Maximum object size exceeded")


def test_a_stop_points_at_what_is_too_much() -> None:
    """The first text that no longer fits is named, not the whole."""
    assert stop(_of_length(400_000)) == ("max-size", "Maximum object size exceeded", "57:9")
