"""What a server says is wrong, as exceptions of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import (
    ConflictError,
    InputError,
    InvalidError,
    MissingError,
    PlatformError,
    RefusedError,
    UsageError,
    WindlassError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx

_KINDS: Final[Mapping[str, type[WindlassError]]] = {
    "usage": UsageError,
    "unauthenticated": RefusedError,
    "refused": RefusedError,
    "missing": MissingError,
    "conflict": ConflictError,
    "invalid": InvalidError,
}
_OURS_FROM: Final = 500
_LONGEST: Final = 2000


def read_problem(answer: httpx.Response, url: str) -> WindlassError:
    """Return the exception for an answer that is an error."""
    body = _read_object(answer)
    code, detail = body.get("code"), body.get("detail")
    if not isinstance(code, str) or not isinstance(detail, str):
        return PlatformError(
            f"what answers at {url} is not a server of Windlass: it says {answer.status_code}",
            hint="is that the address that `windlass up` printed?",
        )
    hint = body.get("hint")
    kind = _KINDS.get(code, InputError)
    if answer.status_code >= _OURS_FROM:
        kind, detail = PlatformError, f"the server at {url} is in trouble: {detail}"
    return kind(detail[:_LONGEST], hint=hint if isinstance(hint, str) else None)


def explain_transport(error: httpx.TransportError, url: str) -> PlatformError:
    """Return what is said where a server cannot be reached."""
    reason = str(error) or type(error).__name__
    return PlatformError(
        f"the server at {url} cannot be reached: {reason}",
        hint="does it run? `windlass up` starts one",
    )


def _read_object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
