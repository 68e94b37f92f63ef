"""What an operation is: a call that can be made, and the function that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.operations.hosted.site import Site
    from windlass.protocol.api.calls import Call
    from windlass.protocol.api.messages import Input

Effect: TypeAlias = Literal["read", "write", "deploy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One entry of the catalogue.

    `effect` says what it does to the world; `function(site, given)` carries it out. `status` is
    that of an answer. `errors` are codes of problems, beside those that any operation may have.
    Where `once` is set, the answer holds a secret that is told once and never kept. One that is
    `keyed` takes what names the request too, `function(site, given, key)`, and does by itself
    nothing twice for the same key; None is no name. Any other that is no read and asked for with
    POST calls `site.claim` in the transaction of what it does, and `again(site, given)` answers for
    it where that was committed and the answer was lost.
    """

    call: Call[Any, Any]
    effect: Effect
    function: Callable[..., Any]
    status: int = 200
    errors: tuple[str, ...] = ()
    once: bool = False
    keyed: bool = False
    again: Callable[[Site, Any], Any] | None = None

    def carry_out(self, site: Site, given: Input, key: str | None = None) -> Any:
        """Do it, and return the answer."""
        return self.function(site, given, key) if self.keyed else self.function(site, given)

    def retell(self, site: Site, given: Input) -> Any:
        """Answer for what was done before."""
        assert self.again is not None, self.name  # noqa: S101 (a test of the catalogue)
        return self.again(site, given)

    @property
    def name(self) -> str:
        """Noun and verb: `runs.list`."""
        return self.call.name

    @property
    def noun(self) -> str:
        """What it is about."""
        return self.name.partition(".")[0]

    @property
    def permission(self) -> str:
        """What whoever asks has to be allowed: `runs:read`."""
        return f"{self.noun}:{self.effect}"

    @property
    def summary(self) -> str:
        """The first line of its function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]
