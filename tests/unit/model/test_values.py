"""Cheaply defined dataclasses behave as the standard frozen ones, but for the freezing."""

from __future__ import annotations

import dataclasses

import pytest

from windlass.model import values


def define(decorator: object) -> type:
    """Define one class by a decorator: a field hidden from repr, and one left out of comparison."""

    @decorator(frozen=True, slots=True, kw_only=True)  # type: ignore[operator]
    class Sample:
        name: str
        parts: tuple[int, ...] = ()
        hidden: str = dataclasses.field(default="s3cret", repr=False)
        aside: object = dataclasses.field(default=None, compare=False)

    return Sample


@pytest.fixture(params=[dataclasses.dataclass, values.dataclass], ids=["standard", "cheap"])
def sample(request: pytest.FixtureRequest) -> type:
    """The same class made by both decorators."""
    return define(request.param)


def test_equal_values_are_equal_and_hash_alike(sample: type) -> None:
    """All compared fields decide, and nothing else."""
    one, same = sample(name="a", parts=(1,)), sample(name="a", parts=(1,), aside=[2])

    assert one == same
    assert hash(one) == hash(same)
    assert one != sample(name="a", parts=(2,))
    assert one != ("a", (1,))
    assert one != define(dataclasses.dataclass)(name="a", parts=(1,))


def test_shown_without_hidden_fields(sample: type) -> None:
    """A field with `repr=False`, such as secrets, is never shown."""
    assert repr(sample(name="a")).endswith("Sample(name='a', parts=(), aside=None)")


def test_standard_tools_know_the_class(sample: type) -> None:
    """`replace`, `fields` and slots work as for any dataclass."""
    one = sample(name="a")

    assert dataclasses.replace(one, name="b") == sample(name="b")
    assert [it.name for it in dataclasses.fields(sample)] == ["name", "parts", "hidden", "aside"]
    assert not hasattr(one, "__dict__")


def test_ordered_and_mutable_classes_are_the_standard_ones() -> None:
    """What the cheap definition does not cover is left to the standard library."""

    @values.dataclass(frozen=True, order=True)
    class Ordered:
        number: int

    @values.dataclass
    class Mutable:
        number: int

    assert Ordered(1) < Ordered(2)
    assert Mutable(1) == Mutable(1)
    assert Mutable.__hash__ is None
