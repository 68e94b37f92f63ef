"""Secrets, variables and inputs in `.windlass/local`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from windlass.cli.local_settings import LocalSettings, read_local_settings
from windlass.errors import InputError
from windlass.operations.plans import PlanOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder that looks like a repository with local settings of all kinds."""
    (tmp_path / ".git").mkdir()
    write(tmp_path, "secrets.env", "TOKEN=hunter2\nKEY='a\nb'\n")
    write(tmp_path, "vars.env", "REGION=north\nlevel=1\n")
    write(tmp_path, "inputs.env", "dry-run=true\n")
    return tmp_path


def write(repository: Path, name: str, text: str, mode: int = 0o600) -> None:
    folder = repository / ".windlass" / "local"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def read(start: Path, **given: dict[str, str]) -> tuple[LocalSettings, list[str]]:
    warnings: list[str] = []
    kinds = ({}, given.get("secrets", {}), given.get("variables", {}), given.get("inputs", {}))
    return read_local_settings(start, warnings.append, *kinds[1:]), warnings


def test_all_three_files(repository: Path) -> None:
    """Each kind has its file; the names of inputs may hold hyphens."""
    settings, warnings = read(repository)

    assert dict(settings.secrets) == {"TOKEN": "hunter2", "KEY": "a\nb"}
    assert settings.variables == {"REGION": "north", "level": "1"}
    assert settings.inputs == {"dry-run": "true"}
    assert settings.private == {"vars.REGION", "vars.level", "inputs.dry-run"}
    assert warnings == []


def test_settings_are_those_of_the_repository(repository: Path) -> None:
    """A folder below the root has them too; another repository within has its own."""
    below = repository / "a" / "b"
    (below / "inner" / ".git").mkdir(parents=True)

    assert read(below)[0].variables == {"REGION": "north", "level": "1"}
    assert read(below / "inner")[0] == LocalSettings()


def test_no_settings(tmp_path: Path) -> None:
    """Outside of repositories, and in most of them, there are none."""
    assert read(tmp_path) == (LocalSettings(), [])


def test_the_command_line_wins(repository: Path) -> None:
    """Names are compared as expressions compare them, without regard to case."""
    settings, _ = read(
        repository, secrets={"token": "x"}, variables={"region": "y"}, inputs={"Dry-Run": "z"}
    )

    assert dict(settings.secrets) == {"KEY": "a\nb"}
    assert settings.variables == {"level": "1"}
    assert settings.inputs == {}


def test_a_plan_is_completed(repository: Path) -> None:
    """Local inputs are optional: other workflows of the event need not declare them."""
    settings, _ = read(repository)
    plan = settings.complete(PlanOptions(variables={"a": "b"}, inputs={"c": "d"}))

    assert plan.variables == {"REGION": "north", "level": "1", "a": "b"}
    assert plan.inputs == {"dry-run": "true", "c": "d"}
    assert plan.optional_inputs == {"dry-run"}


def test_what_is_used_is_named_without_values(repository: Path) -> None:
    """Nobody is surprised by a setting of last year, and nobody reads a secret off the screen."""
    settings, _ = read(repository)

    assert settings.describe() == (
        "from .windlass/local: secrets TOKEN, KEY; variables REGION, level; inputs dry-run"
    )
    assert "hunter2" not in repr(settings)
    assert LocalSettings().describe() == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_secrets_that_others_may_read(repository: Path, mode: int) -> None:
    """The warning says what to do about it."""
    write(repository, "secrets.env", "TOKEN=hunter2\n", mode)

    (warning,) = read(repository)[1]

    assert warning == (
        "others may read .windlass/local/secrets.env; "
        "`chmod 600 .windlass/local/secrets.env` keeps them out"
    )


def test_a_file_of_another_name(repository: Path) -> None:
    """A misspelt name is told instead of being passed over."""
    write(repository, "secret.env", "A=1")

    assert read(repository)[1] == [
        ".windlass/local/secret.env is not read; secrets.env, vars.env and inputs.env are"
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("secrets.env", "A=1\nhunter2 x\n", "local/secrets.env:2:1: expected KEY=VALUE"),
        ("secrets.env", "A='hunter2", "local/secrets.env:1:3: the value is never closed"),
        ("secrets.env", "GITHUB_X=hunter2", "local/secrets.env: .*GITHUB_ are GitHub's own"),
        ("vars.env", "a-b=hunter2", "local/vars.env:1:1: expected KEY=VALUE"),
        ("inputs.env", "-a=hunter2", "local/inputs.env:1:1: expected KEY=VALUE"),
    ],
)
def test_mistakes_have_a_place_and_no_value(
    repository: Path, name: str, text: str, message: str
) -> None:
    """The message names file, line and column as the user knows them."""
    write(repository, name, text)

    with pytest.raises(InputError, match=message) as caught:
        read(repository)
    assert "hunter2" not in caught.value.message


def test_a_pipe_is_no_file(repository: Path) -> None:
    """What would wait forever is refused."""
    path = repository / ".windlass" / "local" / "vars.env"
    path.unlink()
    os.mkfifo(path)

    with pytest.raises(InputError, match=r"local/vars\.env: not a file"):
        read(repository)
