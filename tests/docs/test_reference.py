"""Generated pages are what their sources generate now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.cli_reference import lay_out_reference

if TYPE_CHECKING:
    from tests.conftest import Golden

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_reference_of_the_command_line_is_current(golden: Golden) -> None:
    """docs/reference/cli.md says what the parsers say."""
    golden(CHECKOUT / "docs" / "reference" / "cli.md", lay_out_reference())


def test_every_argument_is_explained() -> None:
    """No command and no argument is without a text."""
    page = lay_out_reference()

    assert "|  |" not in page
