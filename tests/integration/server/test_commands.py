"""The command line against a server: logging in, which server is meant, following what goes on."""

from __future__ import annotations

import json
import stat
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import TOKEN, enter_runs, make_site
from tests.integration.server.doors import CommandDoor
from tests.live_server import GrowingRun, running

from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live_server import RunningServer

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    with running(site) as started:
        yield started


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, outside of any repository."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(server: RunningServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> CommandDoor:
    """The command line, with nothing in the environment that names a server."""
    made = CommandDoor(server.address, {}, monkeypatch)
    monkeypatch.delenv("WINDLASS_SERVER")
    monkeypatch.delenv("WINDLASS_TOKEN")
    return made


def log_in(command: CommandDoor, server: RunningServer, name: str = "home") -> None:
    words = ["login", "--url", server.address, "--name", name, "--token-file", "-"]
    code, _, told = command.run(words, f"{TOKEN}\n")
    assert code == 0, told


def test_a_login_is_kept_where_only_the_user_reads(
    command: CommandDoor, server: RunningServer, home: Path
) -> None:
    """The file holds the token, has mode 600, and what is said of it has not."""
    words = ["login", f"{server.address}/", "--token-file", "-"]

    code, out, told = command.run(words, f"{TOKEN}\n")

    file = home / ".config" / "windlass" / "servers.json"
    assert (code, out) == (0, "")
    assert TOKEN not in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    name = server.address.removeprefix("http://")
    kept = json.loads(file.read_text())
    assert kept == {"default": name, "servers": {name: {"url": server.address, "token": TOKEN}}}


def test_a_token_that_is_not_good_is_not_kept(
    command: CommandDoor, server: RunningServer, home: Path
) -> None:
    """The server is asked first."""
    words = ["login", "--url", server.address, "--token", "wlt_wrong"]

    code, _, told = command.run(words)

    assert code == 2
    assert "the access token is not valid" in told
    assert "other users of this machine can read arguments" in told
    assert not (home / ".config").exists()


@pytest.mark.parametrize("url", ["harbour", "http://", "http://[", "ftp://harbour", "http://h:x"])
def test_what_is_no_address_is_named(command: CommandDoor, home: Path, url: str) -> None:
    """Before anything is asked, whatever there is to read in it."""
    code, _, told = command.run(["login", url, "--token-file", "-"], f"{TOKEN}\n")

    assert code == 2
    assert f"error: '{url}' is not the address of a server" in told
    assert not (home / ".config").exists()


@pytest.mark.parametrize("token", ["wlt_\u00e9", "wlt_a\nb", "wlt_ a"])
def test_a_token_of_other_letters_is_not_sent(
    command: CommandDoor, server: RunningServer, home: Path, token: str
) -> None:
    """It would be a field of a request that is none, or another one."""
    code, _, told = command.run(["login", server.address, "--token-file", "-"], token)

    assert code == 2
    assert "what is given as the access token cannot be one" in told
    assert token not in told


def test_a_token_that_is_no_text_is_not_shown(
    command: CommandDoor, server: RunningServer, home: Path
) -> None:
    """What is wrong with the file is said, and nothing of what is in it."""
    file = home / "token"
    file.write_bytes(b"wlt_\xff")

    code, _, told = command.run(["login", server.address, "--token-file", str(file)])

    assert code == 2
    assert "error: the token is no UTF-8 text (byte 4)" in told
    assert "0xff" not in told


def make_repository(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


def test_which_server_is_meant(
    command: CommandDoor,
    server: RunningServer,
    site: Site,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """--server, then WINDLASS_SERVER, then the repository one is in, then the last login."""
    enter_runs(site, 3)
    repository = home / "boat"
    make_repository(repository)
    log_in(command, server)

    def count(*words: str) -> int:
        code, text, told = command.run(["runs", "--json", *words])
        assert code == 0, told
        return len(text.splitlines())

    assert count() == 3
    assert count("-C", str(repository)) == 0
    assert count("-C", str(repository), "--server", "home") == 3
    assert count("-C", str(repository), "--server", server.address) == 3
    monkeypatch.setenv("WINDLASS_SERVER", "home")
    assert count("-C", str(repository)) == 3
    code, _, told = command.run(["runs", "--server", "elsewhere"])
    assert (code, "there is no login 'elsewhere'" in told) == (2, True)
    code, _, told = command.run(["runs", "--server", "http://127.0.0.1:9"])
    assert (code, "there is no token for http://127.0.0.1:9" in told) == (2, True)


def test_what_only_a_server_knows_asks_the_last_login(
    command: CommandDoor, server: RunningServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within a repository; without a login it is said what to do."""
    make_repository(home / "boat")
    monkeypatch.chdir(home / "boat")
    code, _, told = command.run(["repos", "list"])
    assert (code, "no server is named" in told, "windlass login" in told) == (2, True, True)

    log_in(command, server)
    assert command.run(["repos", "list"])[0] == 0


def test_options_of_a_server_need_one(
    command: CommandDoor, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local history has no branches to choose from."""
    make_repository(home / "boat")
    monkeypatch.chdir(home / "boat")

    code, _, told = command.run(["runs", "--branch", "main"])

    assert (code, "--branch is for a server's runs" in told) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "nowhere.json: the rules cannot be read"), ("[", "nowhere.json: not JSON")],
)
def test_rules_that_cannot_be_read_are_named(
    command: CommandDoor, home: Path, text: str | None, said: str
) -> None:
    """The file that is not there, or holds no JSON, is said with what would do."""
    if text is not None:
        (home / "nowhere.json").write_text(text)

    code, out, told = command.run(["repos", "set", "octo/boat", "--rules", "nowhere.json"])

    assert (code, out) == (2, "")
    assert said in told
    assert "hint" in told


def test_a_server_that_is_away_is_named(command: CommandDoor, home: Path) -> None:
    """Nobody gets a traceback."""
    words = ["runs", "--server", "http://127.0.0.1:9"]
    (home / ".config" / "windlass").mkdir(parents=True)
    servers = {"a": {"url": "http://127.0.0.1:9", "token": "wlt_x"}}
    text = json.dumps({"default": "a", "servers": servers})
    (home / ".config" / "windlass" / "servers.json").write_text(text)

    code, _, told = command.run(words)

    assert code == 3
    assert "the server at http://127.0.0.1:9 cannot be reached" in told
    assert "wlt_x" not in told


def test_a_file_of_logins_that_is_broken_is_named(command: CommandDoor, home: Path) -> None:
    """It says which file, and what to do."""
    (home / ".config" / "windlass").mkdir(parents=True)
    (home / ".config" / "windlass" / "servers.json").write_text("[1]")

    code, _, told = command.run(["repos", "list"])

    assert (code, "servers.json cannot be understood" in told) == (2, True)


def play(run: GrowingRun, result: Result) -> None:
    """A run with one job that prints, from its first event to its end."""
    run.say(
        events.RunStarted(run="1", workflow="CI", path="ci.yml", github_event="push", sha="f" * 40),
        events.JobStarted(job="build", name="build"),
        events.StepStarted(job="build", step="1", name="Compile"),
    )
    for number in range(50):
        run.print(f"line {number}\n".encode())
    run.end_job()
    run.say(
        events.StepFinished(
            job="build",
            step="1",
            name="Compile",
            outcome=result,
            conclusion=result,
            exit_code=None,
            seconds=1.0,
        ),
        events.JobFinished(job="build", name="build", result=result, seconds=1.0),
        events.RunFinished(run="1", result=result, seconds=2.0),
    )
    run.end(result)


@pytest.mark.parametrize(("result", "code"), [(Result.SUCCESS, 0), (Result.FAILURE, 1)])
def test_a_run_is_watched_until_it_has_ended(
    command: CommandDoor, server: RunningServer, site: Site, result: Result, code: int
) -> None:
    """Watching shows what `windlass run` shows; the exit code is that of the run."""
    log_in(command, server)
    run = GrowingRun(site)
    run.add_job()
    player = threading.Thread(target=play, args=(run, result))
    player.start()

    watched = command.run(["watch"])
    player.join()
    again = command.run(["watch", "--json"])

    assert watched[0] == again[0] == code
    assert "Compile" in watched[1]
    proposed = "windlass rerun --server home 1 --failed" in watched[1]
    assert proposed == (result is Result.FAILURE)
    kinds = [json.loads(line)["event"] for line in again[1].splitlines()]
    assert (kinds[0], kinds[-1], len(kinds)) == ("run-started", "run-finished", 6)


def test_logs_are_followed_until_the_run_has_ended(
    command: CommandDoor, server: RunningServer, site: Site
) -> None:
    """Every line is told once, as it comes; afterwards they are read as they are."""
    log_in(command, server)
    run = GrowingRun(site)
    run.add_job()
    player = threading.Thread(target=play, args=(run, Result.SUCCESS))
    player.start()

    code, followed, told = command.run(["logs", "-f", "--json"])
    player.join()

    assert code == 0, told
    texts = [json.loads(line)["text"] for line in followed.splitlines()]
    assert texts == [f"line {number}" for number in range(50)]
    assert command.run(["logs", "--json"])[1] == followed
    assert command.run(["logs", "--tail", "2"])[1] == "line 48\nline 49\n"
    assert command.run(["logs", "--step", "compile", "--tail", "1"])[1] == "line 49\n"
    assert command.run(["logs", "--job", "none"])[0] == 2


def test_a_run_is_named_by_an_end_of_its_id(
    command: CommandDoor, server: RunningServer, site: Site
) -> None:
    """As for local runs: the whole id, its beginning, its end, or nothing for the latest."""
    log_in(command, server)
    GrowingRun(site, "1767225600000001")
    GrowingRun(site, "1767225600009999")

    def show(*words: str) -> tuple[int, str]:
        code, text, told = command.run(["show", "--json", *words])
        return code, json.loads(text)["run"] if code == 0 else told

    assert show("1767225600000001") == (0, "1767225600000001")
    assert show("0001") == (0, "1767225600000001")
    assert show("176722560000999") == (0, "1767225600009999")
    assert show()[0] == 0
    code, told = show("17672256")
    assert (code, "may be any of 2 runs" in told) == (2, True)
    code, told = show("4711")
    assert (code, "there is no run '4711'" in told) == (2, True)
    code, told = show("a/b")
    assert (code, "there is no run 'a/b'" in told) == (2, True)
    code, told = show("0001", "--attempt", "0")
    assert (code, "attempt: input should be greater" in told) == (2, True)
    code, told = show("0001", "--attempt", "5")
    assert (code, "has no attempt 5" in told) == (2, True)


def test_runs_are_listed_for_people(
    command: CommandDoor, server: RunningServer, site: Site
) -> None:
    """One line a run, as for local runs, with the repository."""
    log_in(command, server)
    enter_runs(site, 2)

    _, text, _ = command.run(["runs"])

    lines = text.splitlines()
    assert len(lines) == 2
    assert "failure" in lines[0]
    assert "CI" in lines[0]
    assert "r1 push main" in lines[0]
