"""Where a job runs, by its labels."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import UNKNOWN
from windlass.plan.places import find_place, foresee_place, merge_places


@pytest.mark.parametrize(
    ("labels", "places", "place"),
    [
        pytest.param(["ubuntu-latest"], {}, None, id="nothing is said"),
        pytest.param(["ubuntu-latest"], {"ubuntu-latest": "sandbox"}, "sandbox", id="said"),
        pytest.param(["Ubuntu-Latest"], {"ubuntu-LATEST": "sandbox"}, "sandbox", id="any case"),
        pytest.param(["gpu"], {"ubuntu-latest": "sandbox"}, None, id="said of another"),
        pytest.param(["a", "b"], {"b": "sandbox", "a": "docker://x"}, "docker://x", id="first"),
        pytest.param([], {"a": "sandbox"}, None, id="no labels"),
        pytest.param(["a", "b"], {"*": "host", "b": "sandbox"}, "sandbox", id="own place first"),
        pytest.param(["a"], {"*": "host", "b": "sandbox"}, "host", id="every label"),
        pytest.param([], {"*": "host"}, "host", id="every label without any"),
    ],
)
def test_a_place_is_found_by_label(
    labels: list[str], places: dict[str, str], place: str | None
) -> None:
    """The first label with a place decides, in any case; else what is said of every label."""
    assert find_place(labels, places) == place


@pytest.mark.parametrize(
    ("runs_on", "places", "place"),
    [
        pytest.param("a", {"a": "sandbox"}, "sandbox", id="text"),
        pytest.param(["x", "a"], {"a": "sandbox"}, "sandbox", id="list"),
        pytest.param({"group": "g", "labels": "a"}, {"a": "sandbox"}, "sandbox", id="mapping"),
        pytest.param(UNKNOWN, {"a": "sandbox"}, UNKNOWN, id="unknown"),
        pytest.param([UNKNOWN, "a"], {"a": "sandbox"}, UNKNOWN, id="partly unknown"),
        pytest.param(UNKNOWN, {}, None, id="unknown without any place"),
        pytest.param(UNKNOWN, {"*": "host"}, "host", id="unknown and every label"),
    ],
)
def test_a_plan_says_where(runs_on: Any, places: dict[str, str], place: Any) -> None:
    """A plan tells the place of each leg as far as its labels are known."""
    assert foresee_place(runs_on, places) == place


@pytest.mark.parametrize(
    ("weaker", "stronger", "merged"),
    [
        pytest.param({"a": "host"}, {}, {"a": "host"}, id="one alone"),
        pytest.param({"A": "host", "b": "x"}, {"a": "y"}, {"b": "x", "a": "y"}, id="any case"),
        pytest.param({"*": "host"}, {"a": "y"}, {"*": "host", "a": "y"}, id="both"),
        pytest.param({"a": "y", "*": "x"}, {"*": "host"}, {"*": "host"}, id="all of them"),
    ],
)
def test_two_layers_of_places(
    weaker: dict[str, str], stronger: dict[str, str], merged: dict[str, str]
) -> None:
    """The stronger one counts for each label it names; with `*` it names them all."""
    assert merge_places(weaker, stronger) == merged
