"""Bases: written once, by one, trusted only when whole, and kept while somebody uses them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.git.conftest import Checkout, checkout, no_user_settings

from windlass.errors import WorkspaceError
from windlass.git.trees import materialise_tree, write_tree
from windlass.jobs.workspaces import bases as bases_module
from windlass.jobs.workspaces.bases import (
    ABOUT,
    FILES,
    MOST_CHANGES,
    Bases,
    list_bases,
    remove_base,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.workspaces.bases import Content

__all__ = ["checkout", "no_user_settings"]

TREE = "a" * 40


def write(folder: Path) -> tuple[str, ...]:
    (folder / FILES).mkdir()
    (folder / FILES / "file").write_text("x")
    return ("",)


@pytest.fixture
def shadow(checkout: Checkout, tmp_path: Path) -> Path:
    write_tree(checkout.path, committed_only=True, scratch=tmp_path / "shadow")
    return tmp_path / "shadow"


@pytest.fixture
def provide(checkout: Checkout, tmp_path: Path) -> Callable[[], Content]:
    """Provide the content of the user's working tree, as another run would."""

    def provide() -> Content:
        scratch = tmp_path / "shadow"
        tree = write_tree(checkout.path, committed_only=False, scratch=scratch)

        def write(folder: Path) -> tuple[str, ...]:
            index = folder / "0.index"
            materialise_tree(tree, folder / FILES, scratch=scratch, index=index)
            return ("",)

        return Bases(tmp_path / "bases", scratch).provide(tree, write)

    return provide


def test_written_once(tmp_path: Path, shadow: Path) -> None:
    """Of many that want a base at once, one writes it and all get it whole."""
    written: list[Path] = []

    def write_slowly(folder: Path) -> tuple[str, ...]:
        written.append(folder)
        return write(folder)

    def want(bases: Bases) -> None:
        content = bases.provide(TREE, write_slowly)
        assert (content.base.files / "file").read_text() == "x"

    shared = Bases(tmp_path / "bases", shadow)
    owners = [shared, shared, shared, *(Bases(tmp_path / "bases", shadow) for _ in range(5))]
    threads = [threading.Thread(target=want, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(written) == 1


@pytest.mark.parametrize("damage", ["unfinished", "no-about", "garbage", "other-boot"])
def test_not_trusted(tmp_path: Path, shadow: Path, damage: str) -> None:
    """What a killed writer left, or a base that may not have reached the disk, is written again."""
    folder = tmp_path / "bases"
    if damage == "unfinished":
        (folder / f"{TREE}.unfinished").mkdir(parents=True)
        (folder / f"{TREE}.unfinished/stale").write_text("x")
    else:
        Bases(folder, shadow).provide(TREE, write)
        (folder / TREE / FILES / "stale").write_text("x")
        about = folder / TREE / ABOUT
        if damage == "no-about":
            about.unlink()
        elif damage == "garbage":
            about.write_text("{")
        else:
            about.write_text(about.read_text().replace('"boot": "', '"boot": "other'))
    content = Bases(folder, shadow).provide(TREE, write)

    assert [path.name for path in content.base.files.iterdir()] == ["file"]
    assert list_bases(folder) == [TREE]


def test_failed_write_leaves_nothing(tmp_path: Path, shadow: Path) -> None:
    """A full disk is an error that says so, and the next try starts anew."""

    def fail(folder: Path) -> tuple[str, ...]:
        write(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(WorkspaceError, match="No space left on device"):
        Bases(tmp_path / "bases", shadow).provide(TREE, fail)

    assert list_bases(tmp_path / "bases") == []
    assert Bases(tmp_path / "bases", shadow).provide(TREE, write).patch is None


def test_few_changes_are_a_patch(checkout: Checkout, provide: Callable[[], Content]) -> None:
    """A tree that differs little is a patch on the base used last; many differences are a base."""
    first = provide()
    checkout.write("b/new", "new\n")
    few = provide()
    for number in range(MOST_CHANGES + 1):
        checkout.write(f"many/{number}")
    many = provide()

    assert few.base == first.base
    assert few.patch is not None
    assert few.patch.files == ("b/new",)
    assert many.patch is None
    assert (many.base.files / "b/new").read_text() == "new\n"


def test_large_changes_are_a_base(
    checkout: Checkout, provide: Callable[[], Content], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few files that are large are not copied for every job."""
    monkeypatch.setattr(bases_module, "MOST_BYTES", 1000)
    provide()
    checkout.write("large", "x" * 2000)

    assert provide().patch is None


def test_rules_for_line_endings_are_a_base(
    checkout: Checkout, provide: Callable[[], Content]
) -> None:
    """A change of `.gitattributes` decides about files that have not changed themselves."""
    provide()
    checkout.write(".gitattributes", "*.txt eol=crlf\n")
    content = provide()

    assert content.patch is None
    assert (content.base.files / "a.txt").read_bytes() == b"text\r\n"


def test_patch_follows_the_rules_of_the_tree(
    checkout: Checkout, provide: Callable[[], Content]
) -> None:
    """Files of a patch are written as those of a base."""
    checkout.write(".gitattributes", "*.txt eol=crlf\n")
    checkout.commit()
    provide()
    checkout.write("b.txt", "b\n")
    content = provide()

    assert content.patch is not None
    assert (content.patch.source / "b.txt").read_bytes() == b"b\r\n"


def test_used_bases_stay(tmp_path: Path, shadow: Path) -> None:
    """A base that a run uses, here or in another process, is not removed; another one is."""
    folder = tmp_path / "bases"
    Bases(folder, shadow).provide(TREE, write)
    program = f"""
import sys
from pathlib import Path
from windlass.jobs.workspaces.bases import Bases
bases = Bases(Path({str(folder)!r}), Path({str(shadow)!r}))
print(bases.provide({TREE!r}, lambda _: ()).base.key, flush=True)
sys.stdin.read()
"""
    # Its own lock went with its Bases; only the other process holds one.
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == TREE.encode()
        held = remove_base(folder, TREE)
        other.kill()

    assert held is False
    assert remove_base(folder, TREE) is True
    assert remove_base(folder, TREE) is False
    assert list_bases(folder) == []


def test_same_second_as_the_index(checkout: Checkout, tmp_path: Path) -> None:
    """A file that changes, in size alike, within the second of the user's index is not missed."""
    path = checkout.path / "a.txt"
    for number in range(20):
        path.write_text(f"{number:04}")
        checkout.git("add", "--all")
        path.write_text(f"{number + 5000:04}")
        index = (checkout.path / ".git/index").stat()
        if int(index.st_mtime) == int(path.stat().st_mtime):
            break
    else:
        pytest.skip("this machine is too slow to change a file twice within a second")
    tree = write_tree(checkout.path, committed_only=False, scratch=tmp_path / "shadow")
    materialise_tree(tree, tmp_path / "work", scratch=tmp_path / "shadow")

    assert (tmp_path / "work/a.txt").read_text() == path.read_text()


def test_bases_close_with_their_owner(tmp_path: Path, shadow: Path) -> None:
    """A base is free again once whoever used it is gone."""
    bases = Bases(tmp_path / "bases", shadow)
    bases.provide(TREE, write)
    held, opened = remove_base(tmp_path / "bases", TREE), list_open(tmp_path / "bases")
    bases.close()

    assert held is False
    assert opened != []
    assert list_open(tmp_path / "bases") == []
    assert remove_base(tmp_path / "bases", TREE) is True


def list_open(folder: Path) -> list[Path]:
    """Return what this process has open below a folder: other threads open files as well."""
    found = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/self/fd/{number}").readlink())
    return [it for it in found if it.is_relative_to(folder)]
