from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import make_site

from windlass.server.rates import Buckets
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def rates_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no bucket fill while a test asks, however long a busy machine takes over it."""
    monkeypatch.setattr(Buckets.__init__, "__defaults__", (ManualClock().now,))
