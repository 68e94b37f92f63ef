"""What the commands for a server cost those who have none."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from windlass.cli import failures
from windlass.cli.failures import report_failure
from windlass.cli.main import COMMANDS, load_command
from windlass.cli.parser import build_parser

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from windlass.cli.main import main
code = main(sys.argv[1:])
heavy = {"pydantic", "httpx", "sqlalchemy", "starlette", "dbos"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else code)
"""


@pytest.mark.parametrize("words", [["runs"], ["show", "--help"], ["login", "--help"], ["repos"]])
def test_what_asks_no_server_imports_nothing_for_one(tmp_path: Path, words: list[str]) -> None:
    """The words for both are as quick as before for a repository's own history."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], cwd=tmp_path, capture_output=True, text=True
    )

    assert "imported" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_installed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the server extra a command says what to install."""
    error = ModuleNotFoundError("No module named 'httpx'", name="httpx")

    assert report_failure(error) == 3
    assert "pip install 'windlass[server]'" in capsys.readouterr().err


def test_a_module_of_our_own_that_is_missing_is_a_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only what the extra brings is told to be installed."""
    assert report_failure(ModuleNotFoundError("no", name="windlass.x")) == 3
    assert "fault of Windlass" in capsys.readouterr().err


def test_the_extra_is_known() -> None:
    """Every module that is told to be installed can be imported here."""
    for name in failures._SERVER_EXTRA:
        __import__(name)


def test_every_command_of_a_server_names_one() -> None:
    """All of them have --server."""
    names = [name for name, (path, _) in COMMANDS.items() if ".hosted." in path and name != "login"]

    assert len(names) > 20
    for name in names:
        options = build_parser(name, load_command(name)).format_help()
        assert "--server SERVER" in options
