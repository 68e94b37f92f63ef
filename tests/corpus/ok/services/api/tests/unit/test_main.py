"""The application answers."""

from tidewater_api.main import berths, health


def test_health_says_ok() -> None:
    assert health() == {"status": "ok"}


def test_there_are_berths() -> None:
    assert "north" in berths()
