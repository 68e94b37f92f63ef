"""Cheaply defined dataclasses behave as the standard frozen ones, but for the freezing."""

# The type checker cannot see what a decorator of either module makes of a class.
# mypy: disable-error-code="call-arg, misc, unreachable, operator, type-var, call-overload"

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

import pytest

from windlass.model import values

if TYPE_CHECKING:
    from types import ModuleType


def define(module: ModuleType) -> type:
    """Define one class by a module: a field hidden from repr, and one left out of comparison."""

    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Sample:
        name: str
        parts: tuple[int, ...] = ()
        hidden: str = module.field(default="s3cret", repr=False)
        aside: object = module.field(default=None, compare=False)

    return Sample


@pytest.fixture(params=[dataclasses, values], ids=["standard", "cheap"])
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
    assert one != define(dataclasses)(name="a", parts=(1,))


def test_shown_without_hidden_fields(sample: type) -> None:
    """A field with `repr=False`, such as secrets, is never shown."""
    assert repr(sample(name="a")).endswith("Sample(name='a', parts=(), aside=None)")


def test_standard_tools_know_the_class(sample: type) -> None:
    """`replace`, `fields` and slots work as for any dataclass."""
    one = sample(name="a")

    assert dataclasses.replace(one, name="b") == sample(name="b")
    assert [it.name for it in dataclasses.fields(sample)] == ["name", "parts", "hidden", "aside"]
    assert [it.default for it in dataclasses.fields(sample)][1:] == [(), "s3cret", None]
    assert dataclasses.fields(sample)[0].default is dataclasses.MISSING
    assert not hasattr(one, "__dict__")


@pytest.fixture(params=[dataclasses, values], ids=["standard", "cheap"])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """The standard module and ours."""
    return request.param  # type: ignore[no-any-return]


def test_the_module_has_tools_of_its_own(module: ModuleType) -> None:
    """`replace` and `fields` answer as the standard ones."""
    one = define(module)(name="a", hidden="b")
    changed = module.replace(one, name="c")

    assert (changed.name, changed.hidden) == ("c", "b")
    assert [it.name for it in module.fields(one)] == ["name", "parts", "hidden", "aside"]


def test_ordered_values_are_compared_field_by_field(module: ModuleType) -> None:
    """With `order=True` values compare as tuples of their fields."""

    @module.dataclass(frozen=True, slots=True, order=True)
    class Place:
        line: int
        column: int

    places = [Place(2, 1), Place(1, 9), Place(1, 2)]

    assert sorted(places) == [Place(1, 2), Place(1, 9), Place(2, 1)]
    assert Place(2, 1) > Place(1, 9)
    assert Place(1, 9) >= Place(1, 9)
    with pytest.raises(TypeError):
        assert Place(1, 1) < (1, 2)


def test_mutable_values_have_no_hash(module: ModuleType) -> None:
    """What can be written to is compared by its fields, and is no key of a mapping."""

    @module.dataclass(slots=True)
    class Count:
        number: int
        parts: list[int] = module.field(default_factory=list)

    one, other = Count(1), Count(1)
    one.parts.append(2)

    assert other.parts == []
    assert one == Count(1, [2])
    assert Count.__hash__ is None


def test_classes_are_compared_by_identity_on_request(module: ModuleType) -> None:
    """With `eq=False` a value equals itself alone."""

    @module.dataclass(frozen=True, slots=True, eq=False)
    class Node:
        name: str

    node = Node("a")

    assert node == node
    assert node != Node("a")
    assert len({node, Node("a")}) == 2


def test_fields_of_base_classes_come_first(module: ModuleType) -> None:
    """A class has the fields of its base, and class variables are none."""

    @module.dataclass(frozen=True, slots=True)
    class Base:
        kind: ClassVar[str] = "base"
        name: str

    @module.dataclass(frozen=True, slots=True)
    class Step(Base):
        number: int = 1
        seen: list[int] = module.field(default_factory=list, init=False)

    match Step("a", 2):
        case Step(name, number):
            assert (name, number) == ("a", 2)
    assert Step("a") == Step(name="a", number=1)
    assert repr(Step("a")).endswith("Step(name='a', number=1, seen=[])")
    assert Base("a") == Base("a")
    assert Base("a") != Step("a")
    with pytest.raises(TypeError):
        Step()


def test_fields_of_the_standard_module_are_refused() -> None:
    """What such a field says, for instance that it is hidden, would be lost."""
    with pytest.raises(TypeError, match=r"Sample\.hidden"):

        @values.dataclass(frozen=True, slots=True)
        class Sample:
            hidden: str = dataclasses.field(default="s3cret", repr=False)
