"""What a person has typed, as the input of an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from windlass.errors import UsageError

if TYPE_CHECKING:
    from windlass.protocol.api.messages import Input

    Given = TypeVar("Given", bound=Input)
else:
    Given = TypeVar("Given")


def make_input(model: type[Given], **values: Any) -> Given:
    """Return what an operation is given; None is what was left out.

    Raises:
        UsageError: a value cannot be used.
    """
    from pydantic import ValidationError

    try:
        return model(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise UsageError(f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
