"""What is wrong with a cron line that GitHub understands."""

from __future__ import annotations

import pytest

from windlass.lang.lint.cron import find_cron_problem

NEVER = "never comes: no such month has such a day"


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("*/5 * * * *", None),
        ("0,5,55 * * * *", None),
        ("7 * * * *", None),
        ("1e1 * * * *", None),
        ("1e1-12 * * * *", None),
        ("5-1e1 * * * *", None),
        ("*/60 * * * *", None),
        *(
            (cron, f"comes every {gap} at times, and GitHub starts runs every 5 minutes at most")
            for cron, gap in [
                ("* * * * *", "1 minute"),
                ("*/2 * * * *", "2 minutes"),
                ("0,4 * * * *", "4 minutes"),
                ("1,59 * * * *", "2 minutes"),
                ("10-12 * * * *", "1 minute"),
                ("58/1 * * * *", "1 minute"),
            ]
        ),
        ("0 0 31 2 *", NEVER),
        ("0 0 30,31 FEB *", NEVER),
        ("0 0 31 4,6,sep,nov *", NEVER),
        ("0 0 31 2/11 *", NEVER),
        ("0 0 31 1,2 *", None),
        ("0 0 1,31 2 *", None),
        ("0 0 29 2 *", None),
        ("0 0 31 dec *", None),
        ("0 0 31 2 1", None),
        ("0 0 * 2 *", None),
        ("0 0 1e1 2 *", None),
        ("0 0 31 * *", None),
        ("@daily", None),
    ],
)
def test_when_a_cron_comes(cron: str, message: str | None) -> None:
    """Too often for GitHub, or on no day of any year; what cannot be read is left alone."""
    assert find_cron_problem(cron) == message
