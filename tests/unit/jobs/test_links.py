"""Symbolic links that a step has made are not followed out of its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.links import leads_out, write_new_file
from windlass.testing.executor import DummyExecutor

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.jobs.executors.interface import Session


@pytest.fixture
def session() -> Session:
    return DummyExecutor().open(JobRequest(key="job"))


@pytest.mark.parametrize(
    ("links", "path", "out"),
    [
        pytest.param({}, "a/b", False, id="no link"),
        pytest.param({}, "nowhere/b", False, id="not there yet"),
        pytest.param({"l": "a"}, "l/b", False, id="within"),
        pytest.param({"a/l": "../a/b"}, "a/l", False, id="up and within"),
        pytest.param({"l": "{root}/a"}, "l", False, id="within, by its full name"),
        pytest.param({"l": "m", "m": "a"}, "l/b", False, id="two within"),
        pytest.param({"l": "/etc"}, "l", True, id="out"),
        pytest.param({"l": "/etc"}, "l/ssl", True, id="on the way"),
        pytest.param({"l": ".."}, "l", True, id="up and out"),
        pytest.param({"l": "m", "m": "/etc"}, "l", True, id="two, then out"),
        pytest.param({"m": "/etc", "l": "m/../a"}, "l", True, id="up after a link"),
        pytest.param({"l": "l"}, "l", True, id="circle"),
        pytest.param({"l": "{root}-other"}, "l", True, id="a name that begins alike"),
    ],
)
def test_links(
    tmp_path: Path, session: Session, links: dict[str, str], path: str, *, out: bool
) -> None:
    """What stays within is GitHub's own way; what leaves is told, however it is written."""
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    for name, target in links.items():
        (root / name).symlink_to(target.format(root=root))

    assert leads_out(root / path, root, session) is out


def test_a_folder_that_was_replaced(tmp_path: Path) -> None:
    """No file is written through a link in place of a folder, and none over another."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with pytest.raises(NotADirectoryError):
        write_new_file(link, "script.sh", b"x")
    assert list(real.iterdir()) == []

    write_new_file(real, "script.sh", b"x")
    with pytest.raises(FileExistsError):
        write_new_file(real, "script.sh", b"y")
    assert (real / "script.sh").read_bytes() == b"x"
