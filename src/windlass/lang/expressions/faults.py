"""What goes wrong with an expression: a value for callers, an exception while evaluating."""

from __future__ import annotations

from typing import Literal

from windlass.model.values import dataclass

FaultKind = Literal["lexing", "parsing", "evaluation"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an expression has no value.

    `message` is GitHub's wording; lexing and parsing faults end with the place, as GitHub's do.
    `offset` is the 0-based index of the offending symbol in the text, in code points; None where
    the fault belongs to the values and not to the text.
    """

    kind: FaultKind
    message: str
    offset: int | None = None


class FaultError(Exception):
    """Carries a fault out of nested calls; `Compiled.evaluate` turns it into a value.

    A function that a caller supplies may raise it as well.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def evaluation_error(message: str) -> FaultError:
    """Return the exception for a fault met while evaluating."""
    return FaultError(Fault("evaluation", message))


def syntax_error(
    kind: FaultKind, description: str, symbol: str, text: str, offset: int
) -> FaultError:
    """Return the exception for a symbol that may not stand where it stands.

    The position in the message counts UTF-16 units from 1, as GitHub does; an emoji is two.
    """
    units = offset + sum(character > "\uffff" for character in text[:offset])
    message = (
        f"{description}: '{symbol}'. Located at position {units + 1} within expression: {text}"
    )
    return FaultError(Fault(kind, message, offset))
