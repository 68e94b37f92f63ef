"""What local jobs may read of the folders that a sandbox hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.operations.sandboxes import describe_view

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_of_a_home_only_node_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the user's is there, and nothing else of the folders around it."""
    program = tmp_path / "versions" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    shown = set(describe_view(tmp_path / "project", tmp_path / "project" / ".windlass").shown)

    assert shown - {tmp_path / "project/.windlass/bases"} == {program, tmp_path / "bin" / "node"}


def test_of_the_working_tree_only_bases_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree is hidden; bases are shown, and the objects of a repository where there is one."""
    monkeypatch.setenv("PATH", "")
    state = tmp_path / ".windlass"
    view = describe_view(tmp_path, state)

    assert (list(view.hidden), list(view.shown)) == ([tmp_path], [state / "bases"])
    (tmp_path / ".git" / "objects").mkdir(parents=True)
    assert list(describe_view(tmp_path, state).shown)[1:] == [tmp_path / ".git" / "objects"]
