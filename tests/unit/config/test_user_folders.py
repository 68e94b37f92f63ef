"""Where a user's files belong.

Source: https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.config.user_folders import (
    find_cache_folder,
    find_data_folder,
    find_settings_folder,
    find_state_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KINDS = [
    pytest.param(find_cache_folder, "XDG_CACHE_HOME", "/h/.cache/windlass", id="cache"),
    pytest.param(find_data_folder, "XDG_DATA_HOME", "/h/.local/share/windlass", id="data"),
    pytest.param(find_state_folder, "XDG_STATE_HOME", "/h/.local/state/windlass", id="state"),
    pytest.param(find_settings_folder, "XDG_CONFIG_HOME", "/h/.config/windlass", id="settings"),
]


@pytest.mark.parametrize(("find", "variable", "usual"), KINDS)
def test_the_variable_or_the_usual_place(
    find: Callable[[Mapping[str, str]], Path | None],
    variable: str,
    usual: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable with a path that is not absolute is to be ignored, as is an empty one."""
    monkeypatch.setenv("HOME", "/h")

    found = [
        str(find({"HOME": "/h", **given}))
        for given in ({variable: "/x"}, {variable: "x"}, {variable: ""}, {})
    ]

    assert found == ["/x/windlass", usual, usual, usual]


def test_nobody_has_no_settings() -> None:
    """Where neither variable is set there is no folder for settings."""
    assert find_settings_folder({}) is None
