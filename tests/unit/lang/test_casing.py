"""Names without regard to case, as .NET's StringComparison.OrdinalIgnoreCase has them."""

from __future__ import annotations

import pytest

from windlass.lang.casing import equals_ignoring_case, fold, sort_key


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("aZ_1", "AZ_1"),
        ("é-ö", "É-Ö"),
        ("straße", "STRAßE"),
        ("ı", "ı"),
        ("ſ", "ſ"),
        ("ǆ", "Ǆ"),
        ("ŉ", "ŉ"),
        ("", ""),
    ],
)
def test_folded_text(text: str, folded: str) -> None:
    """Each character is put in upper case by itself, so that the length stays."""
    assert fold(text) == folded
    assert equals_ignoring_case(text, folded)


@pytest.mark.parametrize(("left", "right"), [("ß", "SS"), ("ı", "I"), ("a", "b"), ("a", "aa")])
def test_different_texts(left: str, right: str) -> None:
    """What Unicode would make equal by several characters is not."""
    assert not equals_ignoring_case(left, right)


def test_order() -> None:
    """By UTF-16 units of the upper case: `_` comes after letters, a surrogate before `\ufb01`."""
    assert sorted(["_", "b", "A", "\ufb01", "\U0001f600"], key=sort_key) == [
        *("A", "b", "_", "\U0001f600", "\ufb01")
    ]
