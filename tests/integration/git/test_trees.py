"""Trees and the job's own `.git`, made by a real git without writing to the user's repository."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.integration.git.conftest import Checkout

from windlass.errors import GitError
from windlass.git.commands import run
from windlass.git.job_git import make_job_git
from windlass.git.trees import (
    compare_trees,
    make_index,
    materialise_tree,
    write_changes,
    write_tree,
)

if TYPE_CHECKING:
    from pathlib import Path


def listing(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file below a folder but `.git`: its kind and its content."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] == ".git":
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        elif path.is_file():
            is_program = path.stat().st_mode & stat.S_IXUSR
            found[name] = ("program" if is_program else "file", path.read_bytes())
    return found


def fill(checkout: Checkout) -> None:
    """Commit files of every kind, then change some of them."""
    checkout.write("run.sh", "#!/bin/sh\n")
    (checkout.path / "run.sh").chmod(0o755)
    (checkout.path / "link").symlink_to("a.txt")
    (checkout.path / "broken").symlink_to("nowhere")
    for name in ("d/with space", "new\nline", "-dash", "gone"):
        checkout.write(name, f"{name}\n")
    (checkout.path / os.fsdecode(b"latin-\xe9")).write_bytes(b"\0\xff")
    checkout.write(".gitignore", "*.log\n")
    checkout.commit("All kinds")
    checkout.git("tag", "v1")
    checkout.write("a.txt", "changed\n")
    checkout.write("untracked", "new\n")
    checkout.write("ignored.log")
    (checkout.path / "gone").unlink()


def test_a_tree_has_the_users_changes(checkout: Checkout, tmp_path: Path) -> None:
    """Changed, new and removed files count, ignored ones do not; kinds and names are kept."""
    fill(checkout)
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(checkout.path, committed_only=False, scratch=scratch), place, scratch=scratch
    )
    expected = listing(checkout.path)
    del expected["ignored.log"]

    assert listing(place) == expected


def test_a_committed_tree_is_what_a_worktree_has(checkout: Checkout, tmp_path: Path) -> None:
    """Without the user's changes the content is that of `git worktree add`."""
    fill(checkout)
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    tree = write_tree(checkout.path, committed_only=True, scratch=scratch)
    materialise_tree(tree, place, scratch=scratch)
    checkout.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))

    assert tree == checkout.git("rev-parse", "HEAD^{tree}")
    assert listing(place) == listing(tmp_path / "tree")


def test_nothing_is_written_to_the_repository(checkout: Checkout, tmp_path: Path) -> None:
    """Neither index, objects nor refs of the user change, whatever the job commits or tags."""
    fill(checkout)
    before = checkout.fingerprint()
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    tree = write_tree(checkout.path, committed_only=False, scratch=scratch)
    materialise_tree(tree, place, scratch=scratch)
    sha = checkout.git("rev-parse", "HEAD")
    make_job_git(checkout.path, place, sha=sha, ref="refs/heads/main")
    job = Checkout(place)
    job.git("tag", "v2")
    job.commit("From the job")

    assert checkout.fingerprint() == before
    assert job.git("rev-parse", "HEAD^") == sha


def test_staged_changes_and_conflicts_of_the_index(checkout: Checkout, tmp_path: Path) -> None:
    """The working tree counts, not the index: staged, half-staged and intended files alike."""
    checkout.write("staged", "one\n")
    checkout.git("add", "staged")
    checkout.write("staged", "two\n")
    checkout.write("intended", "x\n")
    checkout.git("add", "--intent-to-add", "intended")
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(checkout.path, committed_only=False, scratch=scratch), place, scratch=scratch
    )

    assert listing(place) == listing(checkout.path)


def test_a_clean_tree_is_that_of_the_commit(checkout: Checkout, tmp_path: Path) -> None:
    """Without changes both ways give the same id, so that bases are shared."""
    trees = {
        write_tree(checkout.path, committed_only=only, scratch=tmp_path / "scratch")
        for only in (True, False)
    }

    assert trees == {checkout.git("rev-parse", "HEAD^{tree}")}


def test_jobs_of_one_run_share_the_scratch(checkout: Checkout, tmp_path: Path) -> None:
    """Several may ask at once."""
    fill(checkout)
    scratch = tmp_path / "scratch"

    def make(number: int) -> dict[str, tuple[str, bytes]]:
        tree = write_tree(checkout.path, committed_only=False, scratch=scratch)
        materialise_tree(tree, tmp_path / f"work{number}", scratch=scratch)
        return listing(tmp_path / f"work{number}")

    with ThreadPoolExecutor(4) as threads:
        first, *others = threads.map(make, range(4))

    assert all(other == first for other in others)


def test_line_endings_follow_the_repository_alone(checkout: Checkout, tmp_path: Path) -> None:
    """`.gitattributes` counts; the settings and filters of this machine do not."""
    checkout.write(".gitattributes", "*.bat eol=crlf\n*.secret filter=shout\n")
    checkout.write("x.bat", "one\ntwo\n")
    checkout.write("y.secret", "quiet\n")
    checkout.commit()
    checkout.git("config", "core.autocrlf", "true")
    checkout.git("config", "filter.shout.smudge", "tr a-z A-Z")
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(checkout.path, committed_only=True, scratch=scratch), place, scratch=scratch
    )

    assert (place / "x.bat").read_bytes() == b"one\r\ntwo\r\n"
    assert (place / "y.secret").read_bytes() == b"quiet\n"
    assert (place / "a.txt").read_bytes() == b"text\n"


HOSTILE = {
    "smudge": '[filter "tell"]\n\tsmudge = {tell}\n\trequired = true\n',
    "process": '[filter "tell"]\n\tprocess = {tell}\n',
    "clean": '[filter "tell"]\n\tclean = {tell}\n',
    "hooks": "[core]\n\thooksPath = {hooks}\n",
    "file-monitor": "[core]\n\tfsmonitor = {tell}\n",
    "attributes": '[core]\n\tattributesFile = {attributes}\n[filter "own"]\n\tsmudge = {tell}\n',
    "line-endings": "[core]\n\tautocrlf = true\n\teol = crlf\n",
    "sparse": "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n",
    "links": "[core]\n\tsymlinks = false\n\tfileMode = false\n",
}
HOOKS = ("post-checkout", "post-index-change", "reference-transaction")


@pytest.mark.parametrize("setting", HOSTILE.values(), ids=HOSTILE)
def test_nothing_of_this_machine_meets_what_is_written(
    setting: str, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program of the user's is started, and files are those of the commit, byte by byte."""
    checkout.write(".gitattributes", "*.secret filter=tell\n")
    checkout.write("x.secret", "one\ntwo\n")
    (checkout.path / "link").symlink_to("x.secret")
    head = checkout.commit()
    changes = {"x.secret": "three\n", "new": "new\n"}
    trace, tell, hooks = tmp_path / "trace", tmp_path / "tell", tmp_path / "hooks"
    hooks.mkdir()
    for program in (tell, *(hooks / name for name in HOOKS)):
        program.write_text(f"#!/bin/sh\necho $0 >> {trace}\ncat\n")
        program.chmod(0o755)
    (tmp_path / "attributes").write_text("* filter=own\n")
    configuration = tmp_path / "gitconfig"
    names = {"tell": tell, "hooks": hooks, "attributes": tmp_path / "attributes"}
    configuration.write_text(setting.format(**names))
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    old = write_tree(checkout.path, committed_only=True, scratch=scratch)
    for name, text in changes.items():
        checkout.write(name, text)
    new = write_tree(checkout.path, committed_only=False, scratch=scratch)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    materialise_tree(old, place, scratch=scratch, index=tmp_path / "before")
    expected = {**listing(checkout.path), "x.secret": ("file", b"one\ntwo\n")}
    del expected["new"]
    assert expected == listing(place)

    changed = compare_trees(old, new, scratch=scratch)
    write_changes(
        changed,
        tmp_path / "changed",
        scratch=scratch,
        beside=place,
        like=tmp_path / "before",
        index=tmp_path / "after",
    )
    make_job_git(checkout.path, place, sha=head, ref="refs/heads/main")

    assert {name: text for name, (_, text) in listing(tmp_path / "changed").items()} == {
        name: text.encode() for name, text in changes.items()
    }
    assert Checkout(place).git("status", "--short") == ""
    assert not trace.exists(), trace.read_text()


def test_the_index_of_changes(checkout: Checkout, tmp_path: Path) -> None:
    """It is that of the new tree, whatever is in the way of what; alike files are known still."""
    for name in ("same", "changed", "gone", "file", "folder/inner", "folder/other"):
        checkout.write(name, "1")
    checkout.commit()
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    old = write_tree(checkout.path, committed_only=True, scratch=scratch)
    for name in ("gone", "file", "folder/inner", "folder/other"):
        (checkout.path / name).unlink()
    (checkout.path / "folder").rmdir()
    for name in ("changed", "file/inner", "folder"):
        checkout.write(name, "2")
    checkout.commit()
    new = write_tree(checkout.path, committed_only=True, scratch=scratch)
    before, after = tmp_path / "before", tmp_path / "after"
    materialise_tree(old, place, scratch=scratch, index=before)
    write_changes(
        compare_trees(old, new, scratch=scratch),
        tmp_path / "changed",
        scratch=scratch,
        beside=place,
        like=before,
        index=after,
    )

    made = make_index(new, scratch=scratch, like=before)
    (tmp_path / "made").write_bytes(made)
    listings = []
    for index in (tmp_path / "made", after):
        variables = {"GIT_DIR": str(scratch), "GIT_INDEX_FILE": str(index)}
        listings.append(run(["ls-files", "--stage", "--debug"], folder=place, variables=variables))
    assert listings[0].count(b"\n") > 0
    assert listings[1] == listings[0]
    written = {path: text for path, (_, text) in listing(tmp_path / "changed").items()}
    assert written == dict.fromkeys(("changed", "file/inner", "folder"), b"2")


def test_a_submodule_is_an_empty_folder(checkout: Checkout, tmp_path: Path) -> None:
    """As after GitHub's checkout, whose default leaves submodules out."""
    other = tmp_path / "other"
    checkout.git("clone", "--quiet", str(checkout.path), str(other))
    checkout.git("submodule", "--quiet", "add", str(other), "inner")
    checkout.commit()
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(checkout.path, committed_only=False, scratch=scratch), place, scratch=scratch
    )

    assert list((place / "inner").iterdir()) == []


def test_a_worktree_is_a_source_too(checkout: Checkout, tmp_path: Path) -> None:
    """A linked worktree has its own index and shares the objects."""
    tree = tmp_path / "tree"
    checkout.git("worktree", "add", "--quiet", "-b", "side", str(tree))
    (tree / "new").write_text("x")
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(tree, committed_only=False, scratch=scratch), place, scratch=scratch
    )
    make_job_git(tree, place, sha=checkout.git("rev-parse", "side"), ref="refs/heads/side")

    assert listing(place) == listing(tree)
    assert Checkout(place).git("status", "--porcelain") == "?? new"


@pytest.fixture
def workspace(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A job's workspace with the user's changes and its own `.git`."""
    fill(checkout)
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(checkout.path, committed_only=False, scratch=scratch), place, scratch=scratch
    )
    sha = checkout.git("rev-parse", "HEAD")
    origin = "https://github.com/octo/app"
    make_job_git(checkout.path, place, sha=sha, ref="refs/heads/main", origin=origin)
    return Checkout(place)


def test_the_job_is_on_the_branch(checkout: Checkout, workspace: Checkout) -> None:
    """HEAD is the event's commit on its branch, with all history and tags."""
    assert workspace.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert (
        workspace.git("rev-parse", "HEAD", "origin/main").split()
        == [checkout.git("rev-parse", "HEAD")] * 2
    )
    assert workspace.git("tag") == "v1"
    assert workspace.git("describe", "--tags") == "v1"
    assert workspace.git("log", "--format=%s") == "All kinds\nFirst"
    assert workspace.git("remote", "get-url", "origin") == "https://github.com/octo/app"
    assert workspace.git("fsck", "--no-dangling") == ""


def test_the_job_sees_the_users_changes(checkout: Checkout, workspace: Checkout) -> None:
    """`git status` in the job shows what it shows to the user."""
    arguments = ("status", "--porcelain", "-z", "--untracked-files=all")

    assert workspace.git_bytes(*arguments) == checkout.git_bytes(*arguments)
    assert workspace.git_bytes(*arguments)


def test_the_index_is_fresh(checkout: Checkout, tmp_path: Path) -> None:
    """Plumbing that trusts the index finds no changes where there are none."""
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    tree = write_tree(checkout.path, committed_only=True, scratch=scratch)
    materialise_tree(tree, place, scratch=scratch)
    make_job_git(checkout.path, place, sha=checkout.git("rev-parse", "HEAD"), ref="refs/heads/main")

    Checkout(place).git("diff-index", "--quiet", "HEAD")
    Checkout(place).git("diff-files", "--quiet")


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/pull/3/merge"])
def test_other_refs_are_detached(checkout: Checkout, tmp_path: Path, ref: str) -> None:
    """A tag or a pull request is checked out without a branch."""
    fill(checkout)
    place = tmp_path / "work"
    place.mkdir()
    sha = checkout.git("rev-parse", "HEAD")
    make_job_git(checkout.path, place, sha=sha, ref=ref)
    job = Checkout(place)

    assert job.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    assert job.git("rev-parse", "HEAD") == sha
    if ref.startswith("refs/pull"):
        assert job.git("rev-parse", "refs/remotes/pull/3/merge") == sha


def test_a_shallow_repository_stays_shallow(checkout: Checkout, tmp_path: Path) -> None:
    """History ends where the user's does, without errors about missing commits."""
    checkout.commit("Second")
    clone, place = tmp_path / "clone", tmp_path / "work"
    checkout.git("clone", "--quiet", "--depth", "1", f"file://{checkout.path}", str(clone))
    place.mkdir()
    make_job_git(clone, place, sha=checkout.git("rev-parse", "HEAD"), ref="refs/heads/main")

    assert Checkout(place).git("log", "--format=%s") == "Second"


def test_a_commit_that_does_not_exist(checkout: Checkout, tmp_path: Path) -> None:
    """What is not in the repository cannot be checked out."""
    with pytest.raises(GitError, match="git read-tree failed"):
        make_job_git(checkout.path, tmp_path, sha="1" * 40, ref="refs/heads/main")


def test_a_special_file_is_left_out(checkout: Checkout, tmp_path: Path) -> None:
    """Git knows files and links; a named pipe is neither, and nothing waits for it."""
    os.mkfifo(checkout.path / "pipe")
    tree = write_tree(checkout.path, committed_only=False, scratch=tmp_path / "scratch")

    assert tree == checkout.git("rev-parse", "HEAD^{tree}")


@pytest.mark.skipif(os.getuid() == 0, reason="root can read every file")
def test_a_file_that_cannot_be_read(checkout: Checkout, tmp_path: Path) -> None:
    """A file that git cannot take in is an error that names it, never left out."""
    checkout.write("secret")
    (checkout.path / "secret").chmod(0)
    with pytest.raises(GitError, match="secret"):
        write_tree(checkout.path, committed_only=False, scratch=tmp_path / "scratch")


def test_a_folder_too_deep_for_the_system(checkout: Checkout, tmp_path: Path) -> None:
    """What git cannot reach is an error that says so: it is not left out in silence."""
    script = (
        "import os\nfor _ in range(30): os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('f', 'w')"
    )
    try:
        subprocess.run([sys.executable, "-c", script], cwd=checkout.path, check=True)
        with pytest.raises(GitError, match="File name too long") as caught:
            write_tree(checkout.path, committed_only=False, scratch=tmp_path / "scratch")
    finally:
        subprocess.run(["rm", "-rf", "d" * 200], cwd=checkout.path, check=True)

    assert ".gitignore" in str(caught.value.hint)


def test_leftovers_of_the_killed(checkout: Checkout, tmp_path: Path) -> None:
    """What a killed process left in the scratch goes; what another one may be using stays."""
    scratch = tmp_path / "scratch"
    write_tree(checkout.path, committed_only=True, scratch=scratch)
    for name, age in (("index-old", 7200), ("index-new", 0)):
        (scratch / name).mkdir()
        (scratch / name / "index").write_text("x")
        time = (scratch / name).stat().st_mtime - age
        os.utime(scratch / name, (time, time))
    write_tree(checkout.path, committed_only=True, scratch=scratch)

    assert [path.name for path in scratch.glob("index-*")] == ["index-new"]


def test_files_that_come_and_go(checkout: Checkout, tmp_path: Path) -> None:
    """A repository that changes while it is read gives a tree, or an error that says why."""
    script = "while :; do for n in 1 2 3 4; do echo $n > t$n; rm -f t$n; done; done"
    writer = subprocess.Popen(["/bin/sh", "-c", script], cwd=checkout.path)
    try:
        outcomes = {_try_to_write(checkout, tmp_path / "scratch") for _ in range(10)}
    finally:
        writer.kill()
        writer.wait()

    assert outcomes <= {"a.txt", "files go on changing"}


def _try_to_write(checkout: Checkout, scratch: Path) -> str:
    try:
        tree = write_tree(checkout.path, committed_only=False, scratch=scratch)
    except GitError as error:
        return "files go on changing" if "files go on changing" in error.message else str(error)
    return checkout.git("--git-dir", str(scratch), "ls-tree", "--name-only", tree, "a.txt")


def test_an_unfinished_repository_within_is_named(checkout: Checkout, tmp_path: Path) -> None:
    """A folder that is a repository without commits cannot be taken in; the error names it."""
    inner = checkout.path / "inner"
    inner.mkdir()
    Checkout(inner).git("init", "--quiet")
    with pytest.raises(GitError, match="inner"):
        write_tree(checkout.path, committed_only=False, scratch=tmp_path / "scratch")


def test_repositories_with_long_ids(tmp_path: Path) -> None:
    """A repository with SHA-256 ids works as any other."""
    folder = tmp_path / "app"
    folder.mkdir()
    checkout = Checkout(folder)
    try:
        checkout.git("init", "--quiet", "--object-format=sha256", "--initial-branch", "main")
    except subprocess.CalledProcessError:
        pytest.skip("this git cannot make repositories with SHA-256 ids")
    checkout.write("a")
    sha = checkout.commit()
    scratch, place = tmp_path / "scratch", tmp_path / "work"
    materialise_tree(
        write_tree(folder, committed_only=False, scratch=scratch), place, scratch=scratch
    )
    make_job_git(folder, place, sha=sha, ref="refs/heads/main")

    assert Checkout(place).git("status", "--porcelain") == ""
