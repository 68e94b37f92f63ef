"""What is said once for each repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.host_notice import NOTICE, give_host_notice

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def heard_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(folder)
    heard: list[str] = []
    give_host_notice(heard.append)
    return heard


def test_the_notice_is_given_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run of a repository hears where jobs run, later ones do not, nor from below."""
    (tmp_path / "one" / "below").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / name / ".git").mkdir(parents=True)
        (tmp_path / name / ".windlass").mkdir()

    assert heard_in(tmp_path / "one", monkeypatch) == [NOTICE]
    assert heard_in(tmp_path / "one" / "below", monkeypatch) == []
    assert heard_in(tmp_path / "two", monkeypatch) == [NOTICE]


def test_what_cannot_be_remembered_is_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state folder that vanished is no reason to keep quiet, or to fail."""
    (tmp_path / ".git").mkdir()

    assert heard_in(tmp_path, monkeypatch) == heard_in(tmp_path, monkeypatch) == [NOTICE]
