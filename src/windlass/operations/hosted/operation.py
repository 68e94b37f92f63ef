"""What an operation is: a function with a name, what it is given, what it answers, and its door."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from windlass.protocol.api.messages import Input

Effect: TypeAlias = Literal["read", "write", "deploy"]
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_IN_QUERY: Final = ("GET", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One entry of the catalogue.

    `name` is noun and verb, `runs.list`. `effect` says what it does to the world. `given` and
    `answer` are models; one without an answer says nothing. `function(site, given)` carries it
    out. `path` is below the API's own and names in braces what of `given` it holds; the rest is
    the query of a GET or DELETE, the body of any other method. `status` is that of an answer.
    `errors` are codes of problems, beside those that any operation may have. Where `once` is set,
    the answer holds a secret that is told once and never kept.
    """

    name: str
    effect: Effect
    method: Method
    path: str
    given: type[Input]
    answer: type[BaseModel] | None
    function: Callable[[Any, Any], Any]
    status: int = 200
    errors: tuple[str, ...] = ()
    once: bool = False

    @property
    def noun(self) -> str:
        """What it is about."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """What is done to it."""
        return self.name.partition(".")[2]

    @property
    def permission(self) -> str:
        """What whoever asks has to be allowed: `runs:read`."""
        return f"{self.noun}:{self.effect}"

    @property
    def summary(self) -> str:
        """The first line of its function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The fields of `given` that its path holds."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def others(self) -> tuple[str, ...]:
        """The fields of `given` that its path does not hold."""
        return tuple(name for name in self.given.model_fields if name not in self.in_path)

    @property
    def has_body(self) -> bool:
        """Whether the other fields are a JSON object in the body."""
        return self.method not in _IN_QUERY and bool(self.others)
