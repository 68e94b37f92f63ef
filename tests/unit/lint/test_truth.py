"""Conditions whose outcome never changes."""

from __future__ import annotations

import pytest

from windlass.lang.lint.places import parse_expression
from windlass.lang.lint.truth import constant_truth


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("''", False),
        ("0", False),
        ("!0", True),
        ("!github.ref", None),
        ("always()", True),
        ("ALWAYS()", True),
        ("success()", None),
        ("github.ref", None),
        ("github.ref == 'x'", None),
        ("1 < 2", True),
        ("1 > 2", False),
        ("2 == '2'", True),
        ("'a' != 'A'", False),
        ("github.ref || true", True),
        ("github.ref || false", None),
        ("false || ''", False),
        ("github.ref && false", False),
        ("github.ref && true", None),
        ("true && 'x'", True),
        ("github.ref == 'a' && github.ref == 'b'", False),
        ("github.ref == 'a' && 'b' == github.ref", False),
        ("github.REF == 'a' && github.ref == 'A'", None),
        ("github.ref == 'a' && github.sha == 'b'", None),
        ("github.ref == 'a' || github.ref == 'b'", None),
        ("github.ref == 'a' && github.ref != 'b'", None),
        ("matrix[env.a] == 'a' && matrix[env.b] == 'b'", None),
        ("github.*.x == 'a' && github.*.x == 'b'", None),
        ("vars[github.ref] == 'a' && vars[github.ref] == 'b'", None),
        ("matrix.v == 1 && matrix.v == 2", None),
        ("github.ref == github.sha && github.ref == 'b'", None),
        ("'a' == 'a' && 'b' == 'b'", True),
        ("github.ref == env.x && 'b' == 'b'", None),
        ("github.ref == 'a' && github.actor && github.ref == 'b'", False),
    ],
)
def test_outcome_that_never_changes(text: str, expected: bool | None) -> None:
    """None where it depends on what a context holds."""
    node = parse_expression(text)
    assert node is not None
    assert constant_truth(node) is expected
