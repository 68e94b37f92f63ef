"""Where a job runs, by its labels."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import UNKNOWN
from windlass.plan.places import find_place, foresee_place


@pytest.mark.parametrize(
    ("labels", "places", "place"),
    [
        pytest.param(["ubuntu-latest"], {}, "host", id="nothing is said"),
        pytest.param(["ubuntu-latest"], {"ubuntu-latest": "sandbox"}, "sandbox", id="said"),
        pytest.param(["Ubuntu-Latest"], {"ubuntu-LATEST": "sandbox"}, "sandbox", id="any case"),
        pytest.param(["gpu"], {"ubuntu-latest": "sandbox"}, "host", id="said of another"),
        pytest.param(["a", "b"], {"b": "sandbox", "a": "docker://x"}, "docker://x", id="first"),
        pytest.param([], {"a": "sandbox"}, "host", id="no labels"),
    ],
)
def test_a_place_is_found_by_label(labels: list[str], places: dict[str, str], place: str) -> None:
    """The first label with a place decides, in any case; without one it is this machine."""
    assert find_place(labels, places) == place


@pytest.mark.parametrize(
    ("runs_on", "places", "place"),
    [
        pytest.param("a", {"a": "sandbox"}, "sandbox", id="text"),
        pytest.param(["x", "a"], {"a": "sandbox"}, "sandbox", id="list"),
        pytest.param({"group": "g", "labels": "a"}, {"a": "sandbox"}, "sandbox", id="mapping"),
        pytest.param(UNKNOWN, {"a": "sandbox"}, UNKNOWN, id="unknown"),
        pytest.param([UNKNOWN, "a"], {"a": "sandbox"}, UNKNOWN, id="partly unknown"),
        pytest.param(UNKNOWN, {}, "host", id="unknown without any place"),
    ],
)
def test_a_plan_says_where(runs_on: Any, places: dict[str, str], place: Any) -> None:
    """A plan tells the place of each leg as far as its labels are known."""
    assert foresee_place(runs_on, places) == place
