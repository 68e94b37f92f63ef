"""Listing what others remove at the same time."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from windlass.listings import find_paths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_paths_are_found_in_order(tmp_path: Path) -> None:
    """Hidden ones too; of a folder that is not there none."""
    for name in ("b/2", "a/1", ".c/3"):
        (tmp_path / name).mkdir(parents=True)

    found = [str(it.relative_to(tmp_path)) for it in find_paths(tmp_path, "*/*")]

    assert found == [".c/3", "a/1", "b/2"]
    assert find_paths(tmp_path / "none", "*/*") == []


def test_a_folder_that_goes_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when the one above was read, and is not when its turn comes."""
    for name in ("here/1", "gone/1"):
        (tmp_path / name).mkdir(parents=True)
    scan = os.scandir

    def remove_and_scan(path: Any) -> Any:
        if "gone" in str(path):
            shutil.rmtree(tmp_path / "gone")
        return scan(path)

    monkeypatch.setattr(os, "scandir", remove_and_scan)

    assert find_paths(tmp_path, "*/*") == [tmp_path / "here" / "1"]
    assert not (tmp_path / "gone").exists()
