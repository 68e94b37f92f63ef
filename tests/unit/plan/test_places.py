"""Where a job runs, by its labels."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read_job

from windlass.lang.expressions import UNKNOWN
from windlass.lang.workflow.model import Job
from windlass.plan.places import (
    find_foreign_label,
    find_place,
    foresee_image,
    foresee_place,
    merge_places,
)


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
        pytest.param("b", {"a": "sandbox"}, "by default", id="nothing is said"),
        pytest.param([], {}, "by default", id="no label"),
        pytest.param("windows-latest", {}, None, id="another system"),
        pytest.param(
            ["windows-latest"], {"Windows-Latest": "host"}, "host", id="here all the same"
        ),
        pytest.param(UNKNOWN, {"a": "sandbox"}, UNKNOWN, id="unknown"),
        pytest.param([UNKNOWN, "a"], {"a": "sandbox"}, UNKNOWN, id="partly unknown"),
        pytest.param(UNKNOWN, {}, UNKNOWN, id="unknown without any place"),
        pytest.param(UNKNOWN, {"*": "host"}, "host", id="unknown and every label"),
        pytest.param(UNKNOWN, {"*": "host", "a": "x"}, UNKNOWN, id="unknown and another label"),
    ],
)
def test_a_plan_says_where(runs_on: Any, places: dict[str, str], place: Any) -> None:
    """A plan tells the place of each leg as far as its labels are known."""
    assert foresee_place(runs_on, "", places, lambda: "by default") == place


@pytest.mark.parametrize("places", [{}, {"*": "host"}, {"a": "sandbox"}])
@pytest.mark.parametrize(
    ("image", "place"), [("debian:12", "docker://debian:12"), (UNKNOWN, UNKNOWN)]
)
def test_a_container_of_its_own_comes_first(image: Any, place: Any, places: dict[str, str]) -> None:
    """Whatever is said of its label, a job runs in its container; the default is not needed."""
    asked: list[str] = []

    assert foresee_place("a", image, places, lambda: asked.append("default")) == place
    assert asked == []


@pytest.mark.parametrize(
    ("keys", "image"),
    [
        pytest.param("", "", id="none"),
        pytest.param("container: ''", "", id="empty"),
        pytest.param("container:", "", id="null"),
        pytest.param("container: debian:12", "debian:12", id="text"),
        pytest.param("container: docker://debian", "debian", id="as a URL"),
        pytest.param(
            "container: {image: debian, env: {A: '${{ needs }}'}}", "debian", id="mapping"
        ),
        pytest.param("container: 'debian:${{ matrix.n }}'", "debian:12", id="expression"),
        pytest.param("container: '${{ matrix.none }}'", "", id="empty expression"),
        pytest.param(
            """container: >-\n  ${{ fromJSON('{"image": "debian"}') }}""",
            "debian",
            id="whole mapping",
        ),
        pytest.param("container: ${{ fromJSON('{}') }}", "", id="whole mapping without image"),
        pytest.param("container: ${{ needs.a.outputs.image }}", UNKNOWN, id="not known yet"),
        pytest.param("container: ${{ fromJSON('x') }}", UNKNOWN, id="mistake"),
    ],
)
def test_the_image_of_a_container(keys: str, image: Any) -> None:
    """It is known as far as what it is made of."""
    job = read_job(keys)
    contexts = {"matrix": {"n": 12.0}, "needs": {"a": UNKNOWN}}

    assert isinstance(job, Job)
    assert foresee_image(job.container, contexts) == image


@pytest.mark.parametrize(
    ("labels", "places", "foreign"),
    [
        pytest.param(["ubuntu-latest", "gpu"], {}, None, id="Linux"),
        pytest.param(["gpu", "macos-14", "windows"], {}, "macos-14", id="the first one"),
        pytest.param(["macos-14"], {"MacOS-14": "host"}, None, id="with a place"),
        pytest.param(["macos-14"], {"*": "host"}, "macos-14", id="every label is no place of it"),
    ],
)
def test_another_system(labels: list[str], places: dict[str, str], foreign: str | None) -> None:
    """What is written for another system runs here only if the user names its label."""
    assert find_foreign_label(labels, places) == foreign


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
