"""Access tokens of a server."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import make_site

from windlass.db.access_tokens import remove_ended_tokens
from windlass.db.server_database import ServerDatabase
from windlass.errors import InvalidError, MissingError, PlatformError
from windlass.model.values import replace
from windlass.operations.hosted.callers import Caller
from windlass.operations.hosted.tokens import (
    check_token,
    create_token,
    list_tokens,
    revoke_token,
    write_bootstrap_token,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    store = ServerDatabase(database_address)
    yield make_site(tmp_path, store)
    store.close()


def at(site: Site, moment: float) -> Site:
    """The same server at another time."""
    return replace(site, now=lambda: moment)


def test_a_token_shows_who_asks(site: Site) -> None:
    """It is found by its text, of which nothing is kept."""
    made = create_token(site, "laptop of Ada")

    assert made.text.startswith("wlt_")
    assert check_token(site, made.text) == Caller(made.row.id, "laptop of Ada")
    assert [row.name for row in list_tokens(site)] == ["laptop of Ada"]
    assert made.text not in repr(made)
    assert made.text not in str(site.store.ask("SELECT * FROM access_tokens"))


@pytest.mark.parametrize(
    "text", ["", "wlt_", "wlt_" + "A" * 43, "Bearer wlt_x", "wlr_secret", "wlt_\udcff", "\0"]
)
def test_texts_that_are_no_token(site: Site, text: str) -> None:
    """Whatever is shown, it is not an error."""
    create_token(site, "laptop")

    assert check_token(site, text) is None


def test_a_token_ends(site: Site) -> None:
    """With its last day, or when it is revoked; both may be forgotten later."""
    now = site.now()
    lasting, short = create_token(site, "lasting"), create_token(at(site, now), "short", days=2)

    assert check_token(at(site, now + 172_799), short.text) is not None
    assert check_token(at(site, now + 172_801), short.text) is None
    assert check_token(at(site, now + 1e9), lasting.text) is not None
    revoke_token(site, lasting.row.id)
    revoke_token(site, lasting.row.id)
    assert check_token(site, lasting.text) is None

    with site.store.writing() as connection:
        assert remove_ended_tokens(connection, now - 60) == 0
        assert remove_ended_tokens(connection, now + 60) == 1
    assert [row.name for row in list_tokens(site)] == ["short"]


def test_what_cannot_be_asked_for(site: Site) -> None:
    """The error says what is wrong."""
    for name in ("", "  ", "a" * 101, "a\nb"):
        with pytest.raises(InvalidError, match="a token's name has 1 to 100 printable letters"):
            create_token(site, name)
    for days in (0, -1, float("inf"), float("nan")):
        with pytest.raises(InvalidError, match="lasts for more than 0 days"):
            create_token(site, "x", days=days)
    with pytest.raises(MissingError, match="no token 'x'"):
        revoke_token(site, "x")


def test_the_first_token_lies_in_the_servers_folder(site: Site) -> None:
    """For its owner alone; it stays until it does not count any more."""
    path = write_bootstrap_token(site)
    first = path.read_text().strip()

    assert path == site.data / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    caller = check_token(site, first)
    assert caller is not None
    assert caller.name == "bootstrap"
    assert write_bootstrap_token(site).read_text().strip() == first

    revoke_token(site, caller.token)
    second = write_bootstrap_token(site).read_text().strip()
    assert check_token(site, second) is not None
    path.unlink()
    assert check_token(site, write_bootstrap_token(site).read_text().strip()) is not None
    assert [it.name for it in site.data.iterdir() if "token" in it.name] == ["token"]


def test_a_folder_that_cannot_be_written_to(site: Site, tmp_path: Path) -> None:
    """It is a fault of the machine, by the name of the file."""
    with pytest.raises(PlatformError, match="token: the first access token cannot be written"):
        write_bootstrap_token(replace(site, data=tmp_path / "missing"))
