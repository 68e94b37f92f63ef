"""Secrets and variables of repositories on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import make_site

from windlass.cli.main import main
from windlass.db.repositories import RepositoryRow, add_repository, find_repository
from windlass.db.server_database import ServerDatabase
from windlass.db.values import ValueRow, set_value
from windlass.errors import InvalidError, MissingError, PlatformError
from windlass.operations.hosted.secrets import (
    describe_webhook,
    list_secrets,
    list_variables,
    read_values,
    remove_secret,
    remove_variable,
    rotate_key,
    seal_text,
    set_secret,
    set_variable,
    unseal_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    store = ServerDatabase(database_address)
    made = make_site(tmp_path, store)
    add(made, "1", "octo/boat")
    add(made, "2", "octo/ship")
    yield made
    store.close()


def add(site: Site, key: str, name: str) -> None:
    row = RepositoryRow(
        id=key,
        name=name,
        location="/srv",
        default_branch="main",
        created=1.0,
        webhook_secret=seal_text(site, "signs", describe_webhook(key)),
    )
    with site.store.writing() as connection:
        add_repository(connection, row)


def test_runs_get_what_was_set(site: Site) -> None:
    """By names in capitals, the last value of each, and nothing of other repositories."""
    set_secret(site, "1", "token", "hunter1")
    set_secret(site, "1", "TOKEN", "hunter2\nand more ☃")
    set_variable(site, "1", "Region", "north")
    set_secret(site, "2", "TOKEN", "other")

    assert read_values(site, "1") == ({"TOKEN": "hunter2\nand more ☃"}, {"REGION": "north"})
    assert [row.name for row in list_secrets(site, "1")] == ["TOKEN"]
    assert [(row.name, row.value) for row in list_variables(site, "1")] == [("REGION", "north")]

    remove_secret(site, "1", "token")
    remove_variable(site, "1", "REGION")
    assert read_values(site, "1") == ({}, {})
    assert read_values(site, "2")[0] == {"TOKEN": "other"}


def test_secrets_are_not_in_the_database(site: Site, tmp_path: Path) -> None:
    """Neither in its rows nor in its files, nor in what is listed."""
    set_secret(site, "1", "TOKEN", "hunter2-hunter2")

    assert "hunter2" not in str(site.store.ask("SELECT * FROM repository_values"))
    assert "hunter2" not in str(list_secrets(site, "1"))
    for path in tmp_path.iterdir():
        if path.is_file():
            assert b"hunter2" not in path.read_bytes()


def test_a_row_that_was_copied_is_not_opened(site: Site) -> None:
    """Who can write to the database cannot give a secret to a repository of his own."""
    set_secret(site, "1", "TOKEN", "hunter2")
    with site.store.writing() as connection:
        connection.execute(
            "INSERT INTO repository_values SELECT '2', kind, name, value, updated "
            "FROM repository_values WHERE repository = '1'"
        )

    with pytest.raises(PlatformError, match=r"secret TOKEN of the repository 2: .*belongs to"):
        read_values(site, "2")


def test_without_the_key_file_no_run_starts(site: Site) -> None:
    """A run must not silently go without its secrets; variables alone need no key."""
    set_secret(site, "1", "TOKEN", "hunter2")
    set_variable(site, "2", "REGION", "north")
    (site.data / "key").unlink()

    with pytest.raises(PlatformError, match="which the key file does not have"):
        read_values(site, "1")
    assert read_values(site, "2") == ({}, {"REGION": "north"})


def test_the_key_can_be_changed(site: Site) -> None:
    """All that is sealed is sealed again; the key before stays until the next change."""
    set_secret(site, "1", "TOKEN", "hunter2")
    set_secret(site, "2", "TOKEN", "hunter3")
    first = read_keys(site)
    under_way = seal_text(site, "hunter4", "secret LATE of the repository 1")

    assert rotate_key(site.store, site.data) == 4
    second = read_keys(site)
    assert second[1:] == first
    assert second[0] not in first
    set_value_sealed(site, "LATE", under_way)
    assert read_values(site, "1")[0] == {"TOKEN": "hunter2", "LATE": "hunter4"}

    assert rotate_key(site.store, site.data) == 5
    assert read_keys(site)[1:] == second[:1]
    assert read_values(site, "1")[0] == {"TOKEN": "hunter2", "LATE": "hunter4"}
    assert read_values(site, "2")[0] == {"TOKEN": "hunter3"}
    row = find_repository(site.store, "1")
    assert row is not None
    assert row.webhook_secret is not None
    assert unseal_text(site, row.webhook_secret, describe_webhook("1")) == "signs"


def read_keys(site: Site) -> list[str]:
    return (site.data / "key").read_text().splitlines()


def set_value_sealed(site: Site, name: str, sealed: str) -> None:
    """What a server does that read the keys before they were changed."""
    row = ValueRow(repository="1", kind="secret", name=name, value=sealed, updated=1.0)
    with site.store.writing() as connection:
        set_value(connection, row)


def test_a_key_is_not_forgotten_while_something_needs_it(site: Site) -> None:
    """What cannot be opened stops the change, and all keys stay."""
    set_secret(site, "1", "TOKEN", "hunter2")
    set_value_sealed(site, "OTHER", "v1.00000000.AAAA")
    before = read_keys(site)

    with pytest.raises(PlatformError, match="the key 00000000, which the key file does not have"):
        rotate_key(site.store, site.data)
    assert read_keys(site) == before
    assert unseal_text(site, list_secrets(site, "1")[1].value, "secret TOKEN of the repository 1")


def test_the_command_changes_the_key(
    site: Site, database_address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a server may run; it says how much was sealed again."""
    set_secret(site, "1", "TOKEN", "hunter2")
    before = read_keys(site)

    place = ["--data", str(site.data), "--database", database_address]
    assert main(["keys", "rotate", *place]) == 0
    assert "3 values are sealed under a new key" in capsys.readouterr().err
    assert read_keys(site)[1:] == before
    assert read_values(site, "1")[0] == {"TOKEN": "hunter2"}


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "GITHUB_TOKEN", "github_x", "Ä", "A\n"])
def test_names_that_cannot_be(site: Site, name: str) -> None:
    """The error says which letters may be in a name."""
    with pytest.raises(InvalidError, match="cannot be a name"):
        set_secret(site, "1", name, "x")


@pytest.mark.parametrize("value", ["x" * 49_153, "☃" * 16_385, "a\0b", "\udcff"])
def test_values_that_cannot_be(site: Site, value: str) -> None:
    """The error names the value, and does not show it."""
    with pytest.raises(InvalidError, match="variable A: the value is") as caught:
        set_variable(site, "1", "A", value)
    assert value not in str(caught.value)


def test_a_long_value_is_kept(site: Site) -> None:
    """As long as on GitHub."""
    set_secret(site, "1", "A", "x" * 49_152)

    assert read_values(site, "1")[0] == {"A": "x" * 49_152}


def test_what_is_not_there(site: Site) -> None:
    """The error names it."""
    with pytest.raises(MissingError, match="no repository 'x'"):
        set_secret(site, "x", "A", "x")
    with pytest.raises(MissingError, match="no repository 'x'"):
        list_variables(site, "x")
    with pytest.raises(MissingError, match="no secret 'A'"):
        remove_secret(site, "1", "a")
