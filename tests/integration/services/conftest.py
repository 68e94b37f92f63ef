from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.services.serving import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Place]:
    """A `.windlass` whose services run; nothing may go wrong on our side."""
    place = Place(tmp_path / ".windlass")
    yield place
    place.close()
    assert place.told == []
