"""Loading the workflows of a repository."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from windlass.errors import InputError
from windlass.operations.loading import load_workflows

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = "on: push\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workflow folder of a repository, which is `folder.parent.parent`."""
    found = tmp_path / ".github" / "workflows"
    found.mkdir(parents=True)
    return found


def write(path: Path, text: str = WORKFLOW) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.requirement("A01")
def test_all_workflows_sorted(tmp_path: Path, folder: Path) -> None:
    """Files that end in .yml or .yaml are workflows, in the order of their names; no others."""
    for name in ("b.yml", "a.yaml", "notes.md", "c.yml.off"):
        write(folder / name)
    (folder / "sub").mkdir()
    write(folder / "sub" / "d.yml")
    library = load_workflows(tmp_path)

    assert [file.path for file in library.files] == [
        ".github/workflows/a.yaml",
        ".github/workflows/b.yml",
    ]
    assert (
        library.digests[".github/workflows/b.yml"] == hashlib.sha256(WORKFLOW.encode()).hexdigest()
    )
    assert library.diagnostics == ()


def test_one_file_may_be_chosen(tmp_path: Path, folder: Path) -> None:
    """A file of the repository keeps its path in it; one from elsewhere has its own."""
    write(folder / "a.yml")
    outside = write(tmp_path.parent / f"{tmp_path.name}-outside.yml")

    assert [file.path for file in load_workflows(tmp_path, folder / "a.yml").files] == [
        ".github/workflows/a.yml"
    ]
    assert [file.path for file in load_workflows(tmp_path, outside).files] == [str(outside)]


def test_a_folder_may_be_chosen(tmp_path: Path) -> None:
    """Any folder of workflow files will do."""
    (tmp_path / "ci").mkdir()
    write(tmp_path / "ci" / "a.yml")

    assert [file.path for file in load_workflows(tmp_path, tmp_path / "ci").files] == ["ci/a.yml"]


def test_a_mistake_is_a_diagnostic_and_the_others_are_read(tmp_path: Path, folder: Path) -> None:
    """A workflow with mistakes keeps no other one from being read."""
    write(folder / "bad.yml", "on: push\njobs: {a: {steps: []}}\n")
    write(folder / "good.yml")
    library = load_workflows(tmp_path)

    assert [workflow.path for workflow in library.workflows] == [".github/workflows/good.yml"]
    assert {finding.span.path for finding in library.diagnostics if finding.span} == {
        ".github/workflows/bad.yml"
    }


def test_what_cannot_be_read_is_a_diagnostic(tmp_path: Path, folder: Path) -> None:
    """A folder, links in a circle and to nowhere, and an odd name are told with what they are."""
    (folder / "folder.yml").mkdir()
    write(folder / os.fsdecode(b"caf\xe9.yml"))
    (folder / "loop.yml").symlink_to("loop.yml")
    (folder / "gone.yml").symlink_to("nowhere")
    write(folder / "good.yml")
    library = load_workflows(tmp_path)

    assert [finding.message for finding in library.diagnostics] == [
        ".github/workflows/caf?.yml cannot be read: its name is not UTF-8",
        ".github/workflows/folder.yml cannot be read: it is a folder",
        ".github/workflows/gone.yml cannot be read: no such file or directory",
        ".github/workflows/loop.yml cannot be read: too many levels of symbolic links",
    ]
    assert {finding.code for finding in library.diagnostics} == {"unreadable-workflow"}
    assert len(library.workflows) == 1


def test_a_link_within_is_read(tmp_path: Path, folder: Path) -> None:
    """A symbolic link to a workflow is one, under its own name."""
    write(tmp_path / "shared.yml")
    (folder / "a.yml").symlink_to("../../shared.yml")

    assert [file.path for file in load_workflows(tmp_path).files] == [".github/workflows/a.yml"]


@pytest.mark.requirement("A07")
def test_called_workflows_are_found(tmp_path: Path, folder: Path) -> None:
    """Workflows that only others call are in the library of all that can run."""
    write(
        folder / "a.yml",
        "on: push\njobs: {call: {uses: ./.github/workflows/gate.yml}}\n",
    )
    write(folder / "gate.yml", WORKFLOW.replace("push", "workflow_call"))
    library = load_workflows(tmp_path, folder / "a.yml")

    assert set(library.digests) == {".github/workflows/a.yml", ".github/workflows/gate.yml"}


@pytest.mark.parametrize(("count", "is_allowed"), [(50, True), (51, False)])
def test_a_workflow_may_call_50_others(
    tmp_path: Path, folder: Path, count: int, is_allowed: bool
) -> None:
    """The 51st different workflow that one reaches is too many."""
    for number in range(count):
        write(folder / f"gate{number}.yml", WORKFLOW.replace("push", "workflow_call"))
    calls = [f"  c{n}: {{uses: ./.github/workflows/gate{n}.yml}}" for n in range(count)]
    caller = write(folder / "a.yml", "on: push\njobs:\n" + "\n".join(calls) + "\n")
    found = [finding.code for finding in load_workflows(tmp_path, caller).diagnostics]

    assert found == ([] if is_allowed else ["too-many-called"])


@pytest.mark.parametrize("uses", ["./../outside.yml", "./missing.yml"])
def test_calls_do_not_leave_the_repository(tmp_path: Path, folder: Path, uses: str) -> None:
    """A path that leads out of the repository, or to nothing, is a mistake of the caller."""
    write(tmp_path.parent / "outside.yml")
    write(folder / "a.yml", f"on: push\njobs: {{call: {{uses: {uses}}}}}\n")
    library = load_workflows(tmp_path)

    assert library.workflows == ()
    assert library.diagnostics


@pytest.mark.parametrize("is_made", [True, False])
def test_no_workflows(tmp_path: Path, is_made: bool) -> None:
    """Without any workflow file the error names the folder."""
    if is_made:
        (tmp_path / ".github" / "workflows").mkdir(parents=True)
    with pytest.raises(InputError, match="there are no workflows in") as caught:
        load_workflows(tmp_path)

    assert caught.value.hint is not None


def test_a_choice_that_does_not_exist(tmp_path: Path) -> None:
    """A path that was named must be there."""
    with pytest.raises(InputError, match="does not exist"):
        load_workflows(tmp_path, tmp_path / "none.yml")


@pytest.mark.parametrize("link", [".github", ".github/workflows"])
def test_a_folder_behind_a_link_holds_no_workflows(tmp_path: Path, link: str) -> None:
    """Git keeps the link and not what is behind it, so GitHub would find nothing."""
    real = tmp_path / "real" / "workflows"
    real.mkdir(parents=True)
    (real / "ci.yml").write_text("on: push\njobs: {a: {runs-on: x}}\n")
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(real if link.endswith("workflows") else real.parent)

    with pytest.raises(InputError, match="is a symbolic link, and GitHub looks for no workflows"):
        load_workflows(tmp_path)
    assert len(load_workflows(tmp_path, real).workflows) == 1
