"""Where repositories may be fetched from: the public Internet, folders, and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.errors import InvalidError
from windlass.events.addresses import Allowance, UnreachableError, read_location

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "example.org": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "inside.example.org": ["10.1.2.3"],
    "both.example.org": ["93.184.215.14", "127.0.0.1"],
    "six.example.org": ["::1"],
    "mapped.example.org": ["::ffff:192.168.0.1"],
    "linked.example.org": ["fe80::1%eth0"],
    "metadata.example.org": ["169.254.169.254"],
    "localhost": ["127.0.0.1", "::1"],
    "git.corp": ["10.9.8.7"],
    "nothing.example.org": [],
}


def resolve(host: str) -> list[str]:
    if host.rstrip(".").lower() not in NAMES:
        raise OSError("Name or service not known")
    return NAMES[host.rstrip(".").lower()]


@pytest.mark.parametrize(
    ("text", "protocol", "host", "port"),
    [
        ("https://example.org/octo/boat.git", "https", "example.org", 443),
        ("https://EXAMPLE.org:8443/octo/boat", "https", "example.org", 8443),
        ("ssh://git@example.org:2222/octo/boat", "ssh", "example.org", 2222),
        ("git@example.org:octo/boat.git", "ssh", "example.org", 22),
        ("https://93.184.215.14/octo/boat", "https", "93.184.215.14", 443),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/o/b", "https", None, 443),
    ],
)
def test_public_places(text: str, protocol: str, host: str | None, port: int) -> None:
    """They are taken, with the addresses that were looked at."""
    found = read_location(text, Allowance(), resolve)
    assert (found.protocol, found.port) == (protocol, port)
    assert found.host == host or host is None
    assert found.addresses
    assert not found.is_folder


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "017700000001",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "localhost",
        "LOCALHOST.",
        "inside.example.org",
        "both.example.org",
        "six.example.org",
        "mapped.example.org",
        "linked.example.org",
        "metadata.example.org",
    ],
)
@pytest.mark.parametrize("shape", ["https://{}/o/b", "ssh://git@{}/o/b", "git@{}:o/b"])
def test_hosts_inside(host: str, shape: str) -> None:
    """They are refused, however they are written and whatever name stands for them."""
    with pytest.raises(InvalidError):
        read_location(shape.format(host), Allowance(), resolve)


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc",
        "ext::sh -c id",
        "ext::sh",
        "fd::3",
        "git://example.org/o/b",
        "ftp://example.org/o/b",
        "http://example.org/o/b",
        "gopher://example.org/o/b",
        "transport::https://example.org/o/b",
        "https://",
        "https:///o/b",
        "https://example.org",
        "https://example.org/",
        "https://example.org:99999/o/b",
        "https://example.org:port/o/b",
        "https://me:hunter2@example.org/o/b",
        "https://token@example.org/o/b",
        "https://example.org/o/b?x=1",
        "https://example.org/o/b#x",
        "https://exa mple.org/o/b",
        "https://example.org/o/b\nHost: x",
        "https://-oProxyCommand=id/o/b",
        "ssh://-oProxyCommand=id/o/b",
        "ssh://git@-oProxyCommand=id/o/b",
        "ssh://-oProxyCommand=id@example.org/o/b",
        "-oProxyCommand=id@example.org:o/b",
        "git@-oProxyCommand=id:o/b",
        "https://ex_ample$(id).org/o/b",
        "git@example.org;id:o/b",
        "--upload-pack=id",
        "../boat",
        "boat",
        "~/boat",
        "",
        "https://[::1/o/b",
        "https://nobody.example.org/o/b",
        "https://nothing.example.org/o/b",
    ],
)
def test_what_is_no_place(text: str) -> None:
    """Nothing else is given to Git."""
    with pytest.raises(InvalidError) as caught:
        read_location(text, Allowance(), resolve)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_name_that_nobody_knows_now() -> None:
    """It may be known again later."""
    with pytest.raises(UnreachableError, match="nobody"):
        read_location("https://nobody.example.org/o/b", Allowance(), resolve)


@pytest.mark.parametrize(
    ("allowed", "text", "taken"),
    [
        (["127.0.0.1"], "http://127.0.0.1:3000/o/b", True),
        (["127.0.0.0/8"], "https://127.8.9.1/o/b", True),
        (["127.0.0.1"], "https://127.0.0.2/o/b", False),
        (["git.corp"], "http://git.corp/o/b", True),
        (["GIT.corp."], "git@git.corp:o/b", True),
        (["10.0.0.0/8"], "https://inside.example.org/o/b", True),
        (["10.0.0.0/8"], "https://both.example.org/o/b", False),
        (["git.corp"], "https://inside.example.org/o/b", False),
        (["::1"], "https://[::1]/o/b", True),
        (["::1"], "https://six.example.org/o/b", True),
        (["::1"], "https://localhost/o/b", False),
        (["example.org"], "http://example.org/o/b", True),
    ],
)
def test_hosts_that_are_allowed(allowed: list[str], text: str, *, taken: bool) -> None:
    """Whoever runs the server names hosts, addresses and networks inside."""
    if taken:
        read_location(text, Allowance(allowed), resolve)
    else:
        with pytest.raises(InvalidError):
            read_location(text, Allowance(allowed), resolve)


@pytest.mark.parametrize("host", ["10.0.0.0/40", "a/b", "", "-x", "1 2"])
def test_what_cannot_be_allowed(host: str) -> None:
    """A mistake in the configuration is told when the server reads it."""
    with pytest.raises(InvalidError):
        Allowance([host])


def test_folders(tmp_path: Path) -> None:
    """A bare repository and a checkout are taken; any other folder is not."""
    bare, checkout = tmp_path / "bare.git", tmp_path / "checkout"
    bare.mkdir()
    (bare / "HEAD").touch()
    (checkout / ".git").mkdir(parents=True)
    for folder in (bare, checkout):
        assert read_location(str(folder), Allowance(), resolve).is_folder
    for missing in (tmp_path, tmp_path / "none", checkout / ".git"):
        with pytest.raises(InvalidError, match="no Git repository"):
            read_location(str(missing), Allowance(), resolve)
