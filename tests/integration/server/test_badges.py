"""Badges: what they say, to whom, and that they are images which everybody can read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient
from tests.hosted_site import check_token, make_site

from windlass.db.repositories import RepositoryRow, add_repository
from windlass.db.runs import AttemptRow, RunRow, enter_attempt
from windlass.model.status import Result
from windlass.operations.hosted.badges import Badge, draw_badge
from windlass.operations.hosted.repositories import change_settings
from windlass.operations.hosted.tokens import create_token
from windlass.server.app import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    row = RepositoryRow(
        id="r1",
        name="octo/boat",
        location="/none",
        default_branch="trunk",
        settings={"public_badge": True},
        created=1.0,
    )
    with made.store.writing() as connection:
        add_repository(connection, row)
    yield made
    made.store.close()  # type: ignore[attr-defined]


@pytest.fixture
def client(site: Site) -> TestClient:
    return TestClient(make_app(site, check_token), base_url=site.address)


def enter(site: Site, number: int, result: Result | None, *, branch: str = "trunk") -> None:
    run = RunRow(
        id=str(number),
        number=number,
        workflow="CI & <more>",
        path=".github/workflows/ci.yml",
        event="push",
        sha="f" * 40,
        ref=f"refs/heads/{branch}",
        created=float(number),
        repository="r1",
    )
    with site.store.writing() as connection:
        enter_attempt(connection, AttemptRow(run=run, attempt=1, started=1.0, result=result))


def read(client: TestClient, address: str = "/badges/octo/boat/ci.yml.svg") -> str:
    """What a badge says to those who cannot see it."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache, max-age=0"
    image = ElementTree.fromstring(answer.content)
    title = image.findtext(f"{SVG}title")
    assert image.attrib["role"] == "img"
    assert image.attrib["aria-label"] == title
    assert title == ": ".join(str(it.text) for it in image.iter(f"{SVG}text"))
    return title


@pytest.mark.requirement("S05")
@pytest.mark.parametrize(
    ("result", "word"),
    [
        (Result.SUCCESS, "passing"),
        (Result.FAILURE, "failing"),
        (Result.CANCELLED, "cancelled"),
        (Result.SKIPPED, "skipped"),
    ],
)
def test_the_newest_run_that_has_ended(
    site: Site, client: TestClient, result: Result, word: str
) -> None:
    """At the default branch, whatever goes on or has ended elsewhere."""
    enter(site, 1, Result.FAILURE)
    enter(site, 2, result)
    enter(site, 3, None)
    enter(site, 4, Result.FAILURE, branch="other")
    assert read(client) == f"CI & <more>: {word}"
    assert read(client, "/badges/octo/boat/ci.svg") == f"CI & <more>: {word}"
    assert read(client, "/badges/OCTO/boat/ci.yml.svg?branch=other") == "CI & <more>: failing"


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("/badges/octo/boat/none.yml.svg", "none.yml"),
        ("/badges/octo/boat/ci.yml.svg?branch=none", "ci.yml"),
        ("/badges/octo/boat/%3Cscript%3E%22%26.svg", '<script>"&'),
        ("/badges/octo/boat/a%00%08%EF%BF%BFb.svg", "ab"),
        ("/badges/octo/boat/" + "x" * 500 + ".svg", "x" * 60),
    ],
)
def test_nothing_that_has_ended(client: TestClient, address: str, label: str) -> None:
    """It is a valid image, whatever is asked for."""
    assert read(client, address) == f"{label}: no status"


def test_a_repository_that_is_not_for_everybody(site: Site, client: TestClient) -> None:
    """Strangers do not learn that there is one; an access token shows it."""
    change_settings(site, "octo/boat", {"public_badge": False})
    token = create_token(site, "tests").text
    refused = client.get("/badges/octo/boat/ci.yml.svg")
    assert refused.status_code == 404
    assert client.get("/badges/octo/none/ci.yml.svg").status_code == 404
    headers = {"Authorization": f"Bearer {token}x"}
    assert client.get("/badges/octo/boat/ci.yml.svg", headers=headers).status_code == 404
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/badges/octo/boat/ci.yml.svg", headers=headers).status_code == 200


def luminance(colour: str) -> float:
    """Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("result", list(Result))
def test_letters_stand_out(site: Site, client: TestClient, result: Result) -> None:
    """White on each colour has the contrast that small letters need."""
    enter(site, 1, result)
    text = client.get("/badges/octo/boat/ci.yml.svg").text
    colours = set(re.findall(r'fill="(#[0-9a-f]{6})"', text))
    assert len(colours) == 2
    assert all(1.05 / (luminance(it) + 0.05) >= 4.5 for it in colours)


def test_a_badge_is_as_wide_as_what_it_says() -> None:
    """Longer names have wider badges."""
    short, long = (draw_badge(Badge(it, "passing", "#1a7f37")) for it in ("CI", "Release images"))
    widths = [int(re.findall(r'width="(\d+)"', it)[0]) for it in (short, long)]
    assert widths[0] < widths[1]
