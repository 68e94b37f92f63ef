"""What `actions/checkout` puts beyond the files: submodules, Git LFS, parts, and again."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.integration.jobs.conftest import git

from windlass.model.status import Result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {size}\n"


def commit(root: Path, files: dict[str, str], message: str = "commit") -> str:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


def make(root: Path, files: dict[str, str]) -> Path:
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    commit(root, files)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "cat", {"plain.txt": "one\n", "docs/a.md": "a\n", "src/b.c": "b\n"})


@pytest.fixture(params=["layered", "copied"])
def bench(bench: Bench, root: Path, request: pytest.FixtureRequest) -> Bench:
    """The bench, with both ways to serve a workspace."""
    bench.layered = request.param == "layered"
    point(bench, root)
    return bench


def point(bench: Bench, root: Path) -> None:
    """Let the event be about the head of a repository."""
    sha = git(root, "rev-parse", "HEAD")
    bench.repository = replace(bench.repository, root=str(root), head_sha=sha)


def output_of(bench: Bench, script: str, inputs: str = "") -> list[str]:
    """Return what a script prints after a checkout."""
    indented = "".join(f"    {line}\n" for line in script.splitlines())
    given = f"  with: {{{inputs}}}\n" if inputs else ""
    finished = bench.run(f"- uses: actions/checkout@v4\n{given}- run: |\n{indented}")

    assert finished.result is Result.SUCCESS, (bench.errors(), bench.output())
    return bench.output().splitlines()[1:]


@pytest.fixture
def with_submodules(root: Path, tmp_path: Path) -> Path:
    """A submodule that has a submodule."""
    inner = make(tmp_path / "inner", {"inner.txt": "inner\n"})
    outer = make(tmp_path / "outer", {"outer.txt": "outer\n"})
    local = ("-c", "protocol.file.allow=always")
    git(outer, *local, "submodule", "--quiet", "add", str(inner), "deep/inner")
    commit(outer, {})
    git(root, *local, "submodule", "--quiet", "add", str(outer), "lib/outer")
    git(root, *local, "submodule", "--quiet", "update", "--init", "--recursive")
    commit(root, {})
    return root


@pytest.mark.parametrize(
    ("wanted", "present"),
    [
        ("'false'", []),
        ("'true'", ["lib/outer/outer.txt"]),
        ("recursive", ["lib/outer/outer.txt", "lib/outer/deep/inner/inner.txt"]),
    ],
)
def test_submodules(bench: Bench, with_submodules: Path, wanted: str, present: list[str]) -> None:
    """They are there as far as was asked for, clean, and Git knows them."""
    point(bench, with_submodules)
    script = (
        "find lib -name '*.txt' | sort -r\necho --; git status --porcelain\n"
        "echo --; git submodule status --recursive | cut -c1"
    )
    files, status, marks = "\n".join(output_of(bench, script, f"submodules: {wanted}")).split("--")

    assert files.split() == sorted(present, reverse=True)
    assert status.strip() == ""
    # A minus is a submodule that is not there.
    assert marks.replace("-", "").replace("\n", "").strip() == ""
    assert marks.count(" ") == len(present)


def test_submodules_of_a_job_are_its_own(bench: Bench, with_submodules: Path) -> None:
    """What a job commits or tags in a submodule stays in the workspace."""
    point(bench, with_submodules)
    before = git(with_submodules / "lib/outer", "for-each-ref")
    script = """\
cd lib/outer
git config user.name x; git config user.email x@example.org
echo more > more; git add more; git commit -q -m job; git tag job
git log --format=%s | head -1; git -C ../.. status --porcelain; git remote get-url origin
cat .git
"""
    lines = output_of(bench, script, "submodules: true")

    assert lines[:2] == ["job", " M lib/outer"]
    assert lines[2].endswith("/outer")
    assert lines[3] == "gitdir: ../../.git/modules/lib/outer"
    assert git(with_submodules / "lib/outer", "for-each-ref") == before
    assert git(with_submodules / "lib/outer", "status", "--porcelain") == ""


def test_submodule_that_the_user_does_not_have(bench: Bench, with_submodules: Path) -> None:
    """The step fails, names it and says how to get it; nothing is fetched."""
    point(bench, with_submodules)
    git(with_submodules, "submodule", "--quiet", "deinit", "--all", "--force")
    subprocess.run(["rm", "-rf", str(with_submodules / ".git/modules")], check=True)
    finished = bench.run("- uses: actions/checkout@v4\n  with: {submodules: true}")

    assert finished.result is Result.FAILURE
    assert bench.errors() == [
        (
            "the submodule 'lib/outer' is not on this machine "
            "git submodule update --init --recursive fetches it"
        )
    ]


@pytest.fixture
def with_large_file(root: Path) -> Path:
    """A file kept by Git LFS, whose content was downloaded."""
    content = "large\n" * 1000
    id_ = hashlib.sha256(content.encode()).hexdigest()
    pointer = POINTER.format(id=id_, size=len(content))
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    commit(root, {".gitattributes": attributes, "x.bin": pointer, "other.txt": pointer})
    store = root / ".git/lfs/objects" / id_[:2] / id_[2:4]
    store.mkdir(parents=True)
    (store / id_).write_text(content)
    return root


@pytest.mark.parametrize(("wanted", "size"), [("true", "6000"), ("false", "129")])
def test_large_files(bench: Bench, with_large_file: Path, wanted: str, size: str) -> None:
    """Their content is there where it was asked for, else the pointer; other files stay."""
    point(bench, with_large_file)
    lines = output_of(bench, "stat -c %s x.bin other.txt", f"lfs: {wanted}")

    assert lines == [size, "129"]


def test_large_file_that_was_not_downloaded(bench: Bench, with_large_file: Path) -> None:
    """The step fails, names the file and says how to get it."""
    point(bench, with_large_file)
    subprocess.run(["rm", "-rf", str(with_large_file / ".git/lfs")], check=True)
    finished = bench.run("- uses: actions/checkout@v4\n  with: {lfs: true}")

    assert finished.result is Result.FAILURE
    assert bench.errors() == [
        (
            "the content of 'x.bin', which Git LFS keeps, is not on this machine "
            "git lfs fetch downloads it"
        )
    ]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("sparse-checkout: docs", ["docs/a.md", "plain.txt"]),
        ("sparse-checkout: '*.c', sparse-checkout-cone-mode: false", ["src/b.c"]),
        ('sparse-checkout: "docs\\nsrc"', ["docs/a.md", "plain.txt", "src/b.c"]),
    ],
)
@pytest.mark.parametrize("changed", [False, True])
def test_sparse_checkout(
    bench: Bench, root: Path, inputs: str, expected: list[str], *, changed: bool
) -> None:
    """Only what was named is there, as Git itself would have it, the user's changes too."""
    if changed:
        (root / "src/b.c").write_text("changed\n")
        (root / "docs/new.md").write_text("new\n")
    script = "git ls-files -t | grep ^H | cut -c3-; echo --\n"
    script += "find . -path ./.git -prune -o -type f -print"
    tracked, found = "\n".join(
        output_of(bench, f"{script}\necho --\ngit status --porcelain", inputs)
    ).split("--")[:2]
    new = ["docs/new.md"] if changed and "docs" in inputs else []

    assert sorted(tracked.split()) == expected
    assert sorted(name[2:] for name in found.split()) == sorted([*expected, *new])
    status = bench.output().rpartition("--\n")[2].splitlines()
    wanted = [" M src/b.c"] if changed and "src/b.c" in expected else []
    assert status == [*wanted, *(f"?? {name}" for name in new)]


def test_checkout_again(bench: Bench) -> None:
    """A second checkout of the same folder starts anew; one beside it leaves it alone."""
    finished = bench.run("""
- uses: actions/checkout@v4
- run: echo mine > new; echo changed > plain.txt; rm docs/a.md; git config x.y z
- uses: actions/checkout@v4
- run: git status --porcelain; cat plain.txt docs/a.md; ls
- uses: actions/checkout@v4
  with: {path: beside}
- run: cat beside/plain.txt plain.txt; git -C beside status --porcelain; git status --porcelain
""")

    assert finished.result is Result.SUCCESS, bench.errors()
    lines = [line for line in bench.output().splitlines() if not line.startswith("Checked out")]
    assert lines == ["one", "a", "docs", "plain.txt", "src", "one", "one", "?? beside/"]


def test_checkout_again_without_cleaning(bench: Bench) -> None:
    """Files that Git does not know stay; those it knows are put anew."""
    finished = bench.run("""
- uses: actions/checkout@v4
- run: |
    echo mine > docs/new; echo changed > plain.txt
    mkdir "$RUNNER_TEMP/other"; mv src/b.c "$RUNNER_TEMP/other"
    rmdir src; ln -s "$RUNNER_TEMP/other" src
- uses: actions/checkout@v4
  with: {clean: false}
- run: git status --porcelain; cat plain.txt docs/new src/b.c "$RUNNER_TEMP/other/b.c"
""")

    assert finished.result is Result.SUCCESS, bench.errors()
    lines = [line for line in bench.output().splitlines() if not line.startswith("Checked out")]
    assert lines == ["?? docs/new", "one", "mine", "b", "b"]


def test_changes_on_a_base_that_is_there(bench: Bench, root: Path) -> None:
    """A run after some changes has them, and Git tells them as it does to the user."""
    clean = output_of(bench, "git status --porcelain")
    (root / "plain.txt").write_text("two\n")
    (root / "docs/a.md").unlink()
    (root / "fresh").mkdir()
    (root / "fresh/file").write_text("new\n")
    lines = output_of(bench, "git status --porcelain; cat plain.txt fresh/file; ls")

    assert clean == []
    assert lines[:3] == [" D docs/a.md", " M plain.txt", "?? fresh/"]
    assert lines[3:] == ["two", "new", "fresh", "plain.txt", "src"]


def test_layers_are_the_jobs_own(bench: Bench, root: Path) -> None:
    """What one job writes into its workspace the next one does not see, nor the user."""
    script = (
        "- uses: actions/checkout@v4\n- run: git status --porcelain; ls; echo x > x; rm -r docs\n"
    )
    for _ in range(2):
        assert bench.run(script).result is Result.SUCCESS, bench.errors()
        assert bench.output().splitlines()[1:] == ["docs", "plain.txt", "src"]

    assert git(root, "status", "--porcelain") == ""
    assert not (bench.root / "job").exists()
    mounts = (bench.root / "job").as_posix()
    with open("/proc/self/mounts") as table:  # noqa: PTH123
        assert mounts not in table.read()


def test_hash_files_reads_what_the_job_sees(bench: Bench) -> None:
    """`hashFiles` finds the files of the workspace, wherever they are served from."""
    expected = hashlib.sha256(hashlib.sha256(b"one\n").digest()).hexdigest()
    finished = bench.run("""
- uses: actions/checkout@v4
- run: echo ${{ hashFiles('*.txt') }}
- run: echo ${{ hashFiles(format('{0}/plain.txt', github.workspace)) }}
""")

    assert finished.result is Result.SUCCESS, bench.errors()
    assert bench.output().splitlines()[1:] == [expected, expected]


def test_worktree_and_detached_head(bench: Bench, root: Path, tmp_path: Path) -> None:
    """A linked worktree with a detached head is a source like any other."""
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked/new").write_text("new\n")
    point(bench, tmp_path / "linked")

    assert output_of(bench, "git status --porcelain; cat new") == ["?? new", "new"]


def test_sockets_and_pipes_are_left_out(bench: Bench, root: Path) -> None:
    """What is no file for Git is not in the workspace, and nothing waits for it."""
    os.mkfifo(root / "pipe")
    subprocess.run(
        ["python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('socket')"],
        cwd=root,
        check=True,
    )

    assert output_of(bench, "ls") == ["docs", "plain.txt", "src"]
