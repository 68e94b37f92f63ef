"""What can be asked of a server: by which method, at which address, and with what answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypeVar

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.protocol.api.messages import Input, Output

    Given = TypeVar("Given", bound=Input)
    Answer = TypeVar("Answer", bound=Output)
else:
    Given, Answer = TypeVar("Given"), TypeVar("Answer")

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_IN_QUERY: Final = ("GET", "DELETE")


@dataclass(frozen=True, slots=True)
class Call(Generic[Given, Answer]):
    """One operation as it is asked for: both sides are made of it.

    `name` is noun and verb, `runs.list`. `path` is below the API's own and names in braces what of
    `given` it holds; the rest is the query of a GET or DELETE, the body of any other method.
    """

    name: str
    method: Method
    path: str
    given: type[Given]
    answer: type[Answer]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The fields of `given` that the path holds."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def others(self) -> tuple[str, ...]:
        """The fields of `given` that the path does not hold."""
        return tuple(name for name in self.given.model_fields if name not in self.in_path)

    @property
    def has_body(self) -> bool:
        """Whether the other fields are a JSON object in the body."""
        return self.method not in _IN_QUERY and bool(self.others)
