"""Lines of options and what Docker's own client makes of them, see tests/differential."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("docker_create.json")


def read_table() -> dict[str, dict[str, Any]]:
    """Return by each line of options the body of `POST /containers/create`, defaults left out."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found
