"""Cron lines are accepted as GitHub's package accepts them."""

from __future__ import annotations

import pytest

from windlass.lang.workflow.cron import is_valid_cron


@pytest.mark.parametrize(
    ("line", "is_valid"),
    [
        ("* * * * *", True),
        ("0 5 * * 1-5", True),
        ("*/15 0-3,9 1 jan,FEB sun", True),
        ("0   5 * * *", True),
        ("30 5,17 * * MON-FRI", True),
        ("0 0 31 12 6", True),
        ("1-5/2 * * * *", True),
        ("0 0 * jan-mar *", True),
        ("* * * *", False),
        ("* * * * * *", False),
        ("", False),
        ("60 * * * *", False),
        ("* 24 * * *", False),
        ("* * 0 * *", False),
        ("* * * 13 *", False),
        ("* * * * 7", False),
        ("*/0 * * * *", False),
        ("*/ * * * *", False),
        ("5-1 * * * *", False),
        ("1,,2 * * * *", False),
        ("a * * * *", False),
        ("-1 * * * *", False),
        ("1/2/3 * * * *", False),
        ("1-2-3 * * * *", False),
        ("0 0 * mon *", False),
        ("@daily", False),
        ("5-5 * * * *", True),
        ("0- * * * *", False),
        ("-0 * * * *", False),
        ("*-5 * * * *", False),
        ("x-1 * * * *", False),
        ("*/1 * * * *", True),
        ("*/0.5 * * * *", True),
        ("/5 * * * *", False),
        ("*/60 * * * *", False),
        (" 0 * * *", True),
        ("1e1 * * * *", True),
        ("1E1 * * * *", True),
    ],
)
def test_cron_line(line: str, is_valid: bool) -> None:
    """Five fields of numbers, names, ranges, lists and steps."""
    assert is_valid_cron(line) is is_valid
