"""What a server lets browsers and busy programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.hosted_site import ADDRESS, TOKEN, ask, check_token

from windlass.errors import UsageError
from windlass.model.values import replace
from windlass.server.app import make_app
from windlass.server.exposure import Exposure, read_exposure

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site

PAGE = "https://ci.example.org"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def exposed(site: Site, **exposure: Any) -> TestClient:
    app = make_app(site, check_token, exposure=Exposure(**exposure))
    return TestClient(app, base_url=ADDRESS, headers=SHOWN)


@pytest.mark.requirement("P08")
@pytest.mark.parametrize(
    ("path", "status"), [("/api/v1/runs", 200), ("/api/v1/runs/5", 404), ("/nowhere", 404)]
)
def test_every_answer_has_headers_that_keep_browsers_careful(
    site: Site, path: str, status: int
) -> None:
    """Good answers and refusals: nothing of them is a page, or is shown in another one."""
    answer = ask(site).get(path)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in answer.headers


@pytest.mark.requirement("P08")
def test_an_address_with_tls_is_asked_with_tls_alone(site: Site) -> None:
    """A browser that has once come by TLS comes by nothing else."""
    site = replace(site, address="https://ci.example.org")

    answer = ask(site, address="https://ci.example.org").get("/api/v1/runs")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.requirement("P07")
def test_no_page_of_another_origin_may_ask(site: Site) -> None:
    """Unless it is said: a browser asks first, is told nothing, and shows no answer."""
    wanted = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    client = ask(site)

    first, answer = client.options("/api/v1/runs", headers=wanted), client.get("/api/v1/runs")

    assert first.status_code == 405
    for it in (first, answer):
        assert not [name for name in it.headers if name.startswith("access-control-")]


@pytest.mark.requirement("P07")
def test_pages_of_an_origin_that_is_allowed_may_ask(site: Site) -> None:
    """Of that one and no other; with a token, which no cookie holds."""
    client = exposed(site, origins=(PAGE,))
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization",
    }

    first = client.options("/api/v1/runs", headers={"Origin": PAGE, **wanted})
    answer = client.get("/api/v1/runs", headers={"Origin": PAGE})
    other = client.options("/api/v1/runs", headers={"Origin": "https://x.example", **wanted})

    assert (first.status_code, other.status_code) == (200, 400)
    assert first.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.requirement("P06")
@pytest.mark.usefixtures("rates_at_rest")
def test_a_token_is_good_for_so_many_requests(site: Site) -> None:
    """What is too much is refused with the seconds after which it is not, for that token alone."""
    client = exposed(site, per_second=0.5)

    first, second = client.get("/api/v1/runs"), client.get("/api/v1/runs")

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["code"] == "too-many"
    assert second.headers["retry-after"] == "2"
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("origins", "rate"),
    [(["ci.example.org"], None), ([f"{PAGE}/"], None), (["*"], None), ([], 0.0), ([], -1.0)],
)
def test_what_is_no_origin_and_no_rate(origins: list[str], rate: float | None) -> None:
    """It is said, and the server does not start."""
    with pytest.raises(UsageError, match=r"no origin|no rate"):
        read_exposure(origins, rate)
