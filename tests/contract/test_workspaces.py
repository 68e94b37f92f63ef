"""Every way to serve a base gives what `git worktree` gives, and leaves base and user alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.integration.git.conftest import Checkout, checkout, no_user_settings

from windlass.git.repository import read_repository
from windlass.git.trees import materialise_tree
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.source import Source
from windlass.jobs.workspaces.bases import FILES
from windlass.jobs.workspaces.copies import FICLONE, put_facts
from windlass.jobs.workspaces.filling import fill_folder
from windlass.jobs.workspaces.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.jobs.executors.interface import Session
    from windlass.jobs.workspaces.bases import Content
    from windlass.jobs.workspaces.filling import Filled

__all__ = ["checkout", "no_user_settings"]

DEPTH = 1000
Listing = dict[bytes, tuple[str, bytes]]


def list_content(folder: Path) -> Listing:
    """Return every entry below a folder but `.git`: kind and content."""
    found: Listing = {}
    todo = [b""]
    top = os.open(folder, os.O_RDONLY)
    while todo:
        here = todo.pop()
        opened = os.open(here or b".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
        for name in map(os.fsencode, os.listdir(opened)):  # noqa: PTH208 - by a descriptor
            path = here + b"/" + name if here else name
            facts = os.stat(name, dir_fd=opened, follow_symlinks=False)
            if path == b".git":
                continue
            if stat.S_ISLNK(facts.st_mode):
                found[path] = ("link", os.readlink(name, dir_fd=opened))
            elif stat.S_ISDIR(facts.st_mode):
                found[path] = ("folder", b"")
                todo.append(path)
            else:
                with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=opened), "rb") as file:
                    found[path] = (oct(facts.st_mode), file.read())
        os.close(opened)
    os.close(top)
    return found


def fill(checkout: Checkout) -> None:
    """Commit what is hard to copy."""
    root = checkout.path
    for name in (
        b"latin-\xe9",
        b"utf-\xc3\xa9",
        b"new\nline",
        b"quote\"'\\",
        b" ",
        b"-rf",
        b"\xff",
    ):
        (root / os.fsdecode(name)).write_bytes(name)
    for name in ("Readme", "README", "readme", "empty"):
        checkout.write(f"case/{name}", "" if name == "empty" else name)
    (root / "large").write_bytes(os.urandom(3 << 20))
    (root / "links").mkdir()
    for name, target in (("file", "../large"), ("folder", "../case"), ("nowhere", "/no/where")):
        (root / "links" / name).symlink_to(target)
    (root / "links" / "bytes").symlink_to(os.fsdecode(b"\xff/\xe9"))
    (root / "program").write_text("#!/bin/sh\n")
    (root / "program").chmod(0o755)
    (root / "read-only").write_text("x")
    (root / "read-only").chmod(0o444)
    (root / "hard").hardlink_to(root / "large")
    checkout.write("d/" * 50 + "bottom", "deep")
    checkout.commit("All kinds")


def supports_cloning(folder: Path) -> bool:
    from fcntl import ioctl

    with (folder / "one").open("wb") as one, (folder / "two").open("wb") as two:
        one.write(b"x" * 4096)
        one.flush()
        try:
            ioctl(two.fileno(), FICLONE, os.open(folder / "one", os.O_RDONLY))
        except OSError:
            return False
    return True


@pytest.fixture
def cloning_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system whose files can share blocks."""
    makers = (["mkfs.xfs", "-q"], ["mkfs.btrfs", "-q"])
    maker = next((it for it in makers if shutil.which(it[0])), None)
    if maker is None or os.getuid() != 0:
        pytest.skip("needs root, and mkfs.xfs or mkfs.btrfs")
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(400 << 20)
    subprocess.run([*maker, str(image)], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("an image cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@dataclass
class Place:
    """Somewhere to make workspaces, by one mechanism."""

    folder: Path
    mechanism: str
    session: Session

    def provide(self, root: Path) -> tuple[Source, Content]:
        repository = read_repository(root)
        source = Source(
            repository=repository,
            sha=repository.head_sha,
            ref=repository.ref,
            state=self.folder / "state",
        )
        tree = source.find_tree()

        def write(folder: Path) -> tuple[str, ...]:
            index = folder / "0.index"
            materialise_tree(tree, folder / FILES, scratch=source.shadow, index=index)
            return ("",)

        return source, source.bases.provide(tree, write)

    def fill(self, content: Content, *, wide: bool = False) -> Filled:
        workspace = self.folder / "work"
        workspace.mkdir(exist_ok=True)
        layers = self.folder / "layers" if self.mechanism == "overlay" else None
        filled = fill_folder(content, workspace, session=self.session, layers=layers, wide=wide)
        assert filled.is_layered == (self.mechanism == "overlay")
        return filled


@pytest.fixture(params=["overlay", "clone", "copy"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "place"
    if request.param == "clone":
        folder = request.getfixturevalue("cloning_disk") / "place"
    folder.mkdir()
    if request.param == "clone":
        assert supports_cloning(folder)
    session = HostExecutor().open(JobRequest(key="job"))
    made = Place(folder, request.param, session)
    try:
        if request.param == "overlay":
            layers = [folder / name for name in ("lower", "upper", "below", "target")]
            for layer in layers:
                layer.mkdir()
            if not session.overlay(*layers):
                pytest.skip("an overlay cannot be mounted here: that needs root")
        yield made
    finally:
        session.close()


@pytest.fixture
def worktree(checkout: Checkout, tmp_path: Path) -> Listing:
    """What git itself makes of the commit."""
    fill(checkout)
    checkout.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    return list_content(tmp_path / "worktree")


def test_content_is_that_of_git_worktree(
    checkout: Checkout, worktree: Listing, place: Place
) -> None:
    """Names, kinds, permissions, links and content, to the byte."""
    _, content = place.provide(checkout.path)

    assert list_content(place.fill(content).folder) == worktree
    assert len(worktree) > 50


def test_folders_a_thousand_deep(checkout: Checkout, tmp_path: Path, place: Place) -> None:
    """As deep as the system lets Git go: there, and removed again."""
    bottom = "d/" * DEPTH + "bottom"
    try:
        subprocess.run(["mkdir", "-p", "d/" * DEPTH], cwd=checkout.path, check=True)
        checkout.write(bottom, "deep")
        checkout.commit("Deep")
        _, content = place.provide(checkout.path)
        folder = place.fill(content).folder

        assert list_content(folder)[bottom.encode()] == ("0o100644", b"deep")
        if place.mechanism != "overlay":
            remove_folder(folder)
            assert not folder.exists()
    finally:
        place.session.close()
        subprocess.run(["rm", "-rf", str(tmp_path), str(place.folder)], check=False)


def test_writing_leaves_the_base_alone(checkout: Checkout, worktree: Listing, place: Place) -> None:
    """What a job does to its files reaches neither the base nor the next job."""
    _, content = place.provide(checkout.path)
    folder = place.fill(content).folder
    with (folder / "large").open("r+b") as file:
        file.write(b"changed")
    with (folder / "case/README").open("a") as file:
        file.write("more")
    (folder / "program").unlink()
    (folder / "case/empty").chmod(0o600)
    (folder / "links/nowhere").unlink()
    (folder / "new").write_text("new")

    assert list_content(content.base.files) == worktree


def test_git_trusts_the_files(checkout: Checkout, worktree: Listing, place: Place) -> None:
    """The index says of every file what the system says, so that git reads none of them again."""
    source, content = place.provide(checkout.path)
    filled = place.fill(content)
    index = source.find_index(content, 0, content.base.tree)
    if not filled.is_layered:
        index = put_facts(index, filled.facts[0], wide=False)
    own = place.folder / "index"
    own.write_bytes(index)
    # Younger than the files, else git reads those of the same second to be sure.
    os.utime(own, (own.stat().st_mtime + 10,) * 2)
    work = place.folder / "work"
    git = ["/usr/bin/env", "git", f"--git-dir={checkout.path}/.git", f"--work-tree={work}"]
    variables = {"PATH": os.environ["PATH"], "GIT_INDEX_FILE": str(own), "GIT_OPTIONAL_LOCKS": "0"}
    process = place.session.spawn([*git, "diff-files"], variables=variables, folder=str(work))
    output = b"".join(iter(process.read, b""))

    assert worktree
    assert (process.wait(), output) == (0, b"")


def test_folders_can_be_renamed(checkout: Checkout, worktree: Listing, place: Place) -> None:
    """A folder of the checkout moves as any other, without being copied by the mover."""
    _, content = place.provide(checkout.path)
    place.fill(content)
    work = str(place.folder / "work")
    script = "import os; os.rename('case', 'moved'); print(sorted(os.listdir('moved')))"
    process = place.session.spawn([sys.executable, "-c", script], variables={}, folder=work)
    output = b"".join(iter(process.read, b""))

    assert worktree
    assert output == b"['README', 'Readme', 'empty', 'readme']\n"


def test_patched_content(checkout: Checkout, worktree: Listing, place: Place) -> None:
    """A tree that differs a little from a base is served by it, and comes out whole."""
    place.provide(checkout.path)
    root = checkout.path
    (root / "large").unlink()
    (root / "large").symlink_to("hard")
    (root / "case/README").write_text("changed")
    (root / "case/readme").unlink()
    shutil.rmtree(root / "links")
    (root / "links").write_text("a file where a folder was")
    (root / "empty").mkdir()
    (root / "program").chmod(0o644)
    (root / "read-only").unlink()
    (root / "read-only").mkdir()
    checkout.write("read-only/now a folder/file")
    _, content = place.provide(root)
    expected = list_content(root)
    del expected[b"empty"]
    # The user's own permissions are not Git's.
    expected = {name: (_git_mode(kind), data) for name, (kind, data) in expected.items()}

    assert worktree
    assert content.patch is not None
    assert list_content(place.fill(content).folder) == expected


def _git_mode(kind: str) -> str:
    return {"0o100444": "0o100644"}.get(kind, kind)


def test_repository_with_long_ids(tmp_path: Path, place: Place) -> None:
    """SHA-256 ids make no difference."""
    root = tmp_path / "wide"
    root.mkdir()
    wide = Checkout(root)
    wide.git("init", "--quiet", "--object-format=sha256", "--initial-branch", "main")
    fill(wide)
    wide.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    _, content = place.provide(root)

    assert list_content(place.fill(content, wide=True).folder) == list_content(
        tmp_path / "worktree"
    )


@pytest.mark.parametrize("why", ["running", "standing", "filled"])
def test_no_overlay_where_it_would_hide_something(
    checkout: Checkout, tmp_path: Path, why: str
) -> None:
    """A process of the job that runs already, or files in the folder: then a copy is made."""
    folder = tmp_path / "place"
    work = folder / "work"
    work.mkdir(parents=True)
    session = HostExecutor().open(JobRequest(key="job"))
    try:
        place = Place(folder, "copy", session)
        _, content = place.provide(checkout.path)
        if why == "filled":
            (work / "before").write_text("x")
        else:
            stand = str(work if why == "standing" else folder)
            process = session.spawn(["/bin/sh", "-c", "echo; sleep 60"], variables={}, folder=stand)
            process.read()
        layers = folder / "layers"
        filled = fill_folder(content, work, session=session, layers=layers, wide=False)

        assert not filled.is_layered
        assert not layers.exists()
        assert (work / "a.txt").read_text() == "text\n"
    finally:
        session.close()
