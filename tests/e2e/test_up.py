"""`windlass up` as a process: it comes up, answers, refuses what it cannot do, and ends well."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from pathlib import Path


def up(*words: str) -> subprocess.CompletedProcess[str]:
    """Start a server that is not to come up."""
    command = [sys.executable, "-m", "windlass", "up", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_answers_who_shows_its_first_token(tmp_path: Path) -> None:
    """The token lies in the folder, for its owner alone; without it nothing is told."""
    with run_server(tmp_path / "data", "--no-runner") as server:
        mode = stat.S_IMODE((server.data / "token").stat().st_mode)
        asked = httpx.get(f"{server.url}/api/v1/runs", timeout=60)
        headers = {"Authorization": f"Bearer {server.token}"}
        shown = httpx.get(f"{server.url}/api/v1/runs", headers=headers, timeout=60)
        healthy = httpx.get(f"{server.url}/health", timeout=60)
    assert mode == 0o600
    assert asked.status_code == 401
    assert asked.headers["content-type"] == "application/problem+json"
    assert (shown.status_code, shown.json()["items"]) == (200, [])
    assert healthy.status_code == 200


def test_it_listens_on_this_machine_alone(tmp_path: Path) -> None:
    """Unless it is told to, nothing beyond loopback reaches it."""
    with run_server(tmp_path / "data", "--no-runner") as server:
        assert server.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_it_is_asked_to(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it with 0, after what is under way."""
    with run_server(tmp_path / "data", "--no-runner") as server:
        server.process.send_signal(number)
        assert server.process.wait(60) == 0
    assert "Traceback" not in server.log.read_text()


def test_its_token_and_its_database_stay(tmp_path: Path) -> None:
    """A server that is killed comes up again as the same."""
    with run_server(tmp_path / "data", "--no-runner") as first:
        first.process.kill()
        assert first.process.wait() == -9
    with run_server(tmp_path / "data", "--no-runner") as second:
        assert second.token == first.token
        headers = {"Authorization": f"Bearer {first.token}"}
        shown = httpx.get(f"{second.url}/api/v1/runs", headers=headers, timeout=60)
        assert shown.status_code == 200


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    """A second one on the same file of SQLite is refused, and says what to do."""
    data = tmp_path / "data"
    with run_server(data, "--no-runner"):
        refused = up("--data", str(data), "--listen", "127.0.0.1:0")
    assert refused.returncode == 2
    assert f"another server has {data}" in refused.stderr
    assert "--database postgresql://" in refused.stderr


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """The error says which, and how to give another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = up("--data", str(tmp_path / "data"), "--listen", address)
    assert refused.returncode == 3
    assert address in refused.stderr
    assert "--listen" in refused.stderr


@pytest.mark.parametrize(
    ("words", "warned"),
    [
        pytest.param([], False, id="this machine alone"),
        pytest.param(["--listen", "0.0.0.0:0"], True, id="others too"),
        pytest.param(
            ["--listen", "0.0.0.0:0", "--url", "https://windlass.example"], False, id="behind TLS"
        ),
    ],
)
def test_readers_on_the_way_are_warned_of(
    tmp_path: Path, words: list[str], *, warned: bool
) -> None:
    """Tokens that go over a network in clear are worth a warning."""
    with run_server(tmp_path / "data", "--no-runner", *words) as server:
        pass

    assert ("is not encrypted" in server.log.read_text()) is warned


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--listen", "8484"], "'8484' is no address to listen on", id="no-host"),
        pytest.param(["--listen", "localhost:99999"], "is no address", id="port-too-high"),
        pytest.param(["--capacity", "0"], "--capacity counts jobs", id="no-capacity"),
        pytest.param(["--database", "mysql://host/name"], "'mysql'", id="another-database"),
        pytest.param(["--database", "nonsense"], "cannot be read", id="no-url"),
    ],
)
def test_what_it_cannot_be_told_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    """Exit code 2, one message, and nothing is left running."""
    refused = up("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *words)
    assert refused.returncode == 2, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    """Whoever may put a key or a database there has the server."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    refused = up("--data", str(data))
    assert refused.returncode == 2
    assert f"chmod go-w {data}" in refused.stderr


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    """The address is told, what is secret in it is not."""
    address = "postgresql://me:hunter2@127.0.0.1:9/windlass"
    refused = up("--data", str(tmp_path / "data"), "--database", address)
    assert refused.returncode == 3
    assert "postgresql" in refused.stderr
    assert "hunter2" not in refused.stderr
