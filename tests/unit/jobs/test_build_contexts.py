"""What a Dockerfile is built from.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.actions.build_contexts import IgnoreRules, write_context

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        pytest.param(["# comment", "", "  "], "# comment", False, id="comments_and_blanks"),
        pytest.param(["*/temp*"], "somedir/temporary.txt", True, id="one_level_down"),
        pytest.param(["*/temp*"], "somedir/temp", True, id="a_folder_one_level_down"),
        pytest.param(["*/temp*"], "a/b/temporary.txt", False, id="not_two_levels_down"),
        pytest.param(["*/*/temp*"], "a/b/temporary.txt", True, id="two_levels_down"),
        pytest.param(["temp?"], "tempa", True, id="one_character"),
        pytest.param(["temp?"], "temp", False, id="not_none"),
        pytest.param(["temp?"], "a/tempa", False, id="at_the_root_alone"),
        pytest.param(["**/*.go"], "a.go", True, id="any_folder_and_the_root"),
        pytest.param(["**/*.go"], "a/b/c.go", True, id="any_folders"),
        pytest.param(["a/**"], "a/b/c", True, id="all_below"),
        pytest.param(["docs"], "docs/a.md", True, id="what_is_in_a_folder"),
        pytest.param(["/docs/"], "docs/a.md", True, id="slashes_at_the_ends"),
        pytest.param(["./docs"], "docs", True, id="a_dot_in_front"),
        pytest.param(["*.md", "!README.md"], "README.md", False, id="an_exception"),
        pytest.param(["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True,
                     id="the_last_one_counts"),
        pytest.param(["*.md", "README-secret.md", "!README*.md"], "README-secret.md", False,
                     id="the_last_one_counts_here_too"),
        pytest.param(["docs", "!docs/keep"], "docs/keep", False, id="kept_in_an_ignored_folder"),
        pytest.param(["docs", "!docs/keep"], "docs/other", True, id="the_rest_of_it"),
        pytest.param(["[a-c].txt"], "b.txt", True, id="a_class"),
        pytest.param(["[^a].txt"], "a.txt", False, id="a_class_of_others"),
        pytest.param([r"\*.txt"], "a.txt", False, id="an_escape"),
        pytest.param([r"\*.txt"], "*.txt", True, id="an_escaped_star"),
        pytest.param(["a.c"], "abc", False, id="a_dot_is_a_dot"),
        pytest.param(["."], "a", False, id="the_root_is_never_ignored"),
    ],
)  # fmt: skip
def test_what_is_ignored(lines: list[str], path: str, ignored: bool) -> None:
    """The examples of Docker's own page, and what they leave open."""
    assert IgnoreRules(lines).ignores(path) is ignored


def names_in(folder: Path, dockerfile: str = "Dockerfile") -> list[str]:
    file = io.BytesIO()
    write_context(folder, dockerfile, file)
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        return archive.getnames()


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_a_context_is_the_folder_without_what_is_ignored(tmp_path: Path) -> None:
    """The Dockerfile stays, ignored or not; links are links."""
    fill(tmp_path, "Dockerfile", "a/b.txt", "a/c.md", "d.md")
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / ".dockerignore").write_text("**/*.md\nDockerfile\n")

    assert names_in(tmp_path) == [".dockerignore", "Dockerfile", "a", "link", "a/b.txt"]


def test_a_dockerfile_may_have_rules_of_its_own(tmp_path: Path) -> None:
    """`NAME.dockerignore` counts before the other."""
    fill(tmp_path, "other.Dockerfile", "a", "b")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "other.Dockerfile.dockerignore").write_text("b\n")

    assert "a" in names_in(tmp_path, "other.Dockerfile")
    assert "b" not in names_in(tmp_path, "other.Dockerfile")


def digest(folder: Path, dockerfile: str = "Dockerfile") -> str:
    return write_context(folder, dockerfile, io.BytesIO())


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    """Times say nothing; modes, names and bytes do."""
    fill(tmp_path, "Dockerfile", "a")
    (tmp_path / "a").chmod(0o644)
    first = digest(tmp_path)
    os.utime(tmp_path / "a", (1, 1))

    assert digest(tmp_path) == first
    (tmp_path / "a").chmod(0o755)
    assert digest(tmp_path) != first
    (tmp_path / "a").chmod(0o644)
    assert digest(tmp_path) == first
    (tmp_path / "a").write_text("b")
    assert digest(tmp_path) != first


def test_the_digest_counts_the_dockerfile(tmp_path: Path) -> None:
    """Two of them in one folder are two images."""
    fill(tmp_path, "Dockerfile", "other.Dockerfile")

    assert digest(tmp_path) != digest(tmp_path, "other.Dockerfile")
