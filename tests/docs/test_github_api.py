"""The page about the REST API names exactly what is answered."""

from __future__ import annotations

import re
from pathlib import Path

from windlass.services.github_api.routes import list_paths

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "github-api.md"


def test_every_path_has_a_row() -> None:
    """docs/reference/github-api.md has a row for each path that is answered, and no other."""
    rows = re.findall(r"^\| `(/[^`]*)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(list_paths())
