"""GITHUB_ARTIFACTS in jobs: the files and images that steps name, collected for provenance."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.artifact_subjects import ArtifactSubjects
from windlass.jobs.files import UnusableFileError
from windlass.model.status import Result

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Bench

A64, B64 = "a" * 64, "b" * 64
ADD = 'echo "{}" >> "$GITHUB_ARTIFACTS"'


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def run(bench: Bench, *scripts: str) -> Result:
    """Run scripts as steps, each whatever came of the one before."""
    steps = "".join(f"- if: always()\n  run: {json.dumps(script)}\n" for script in scripts)
    return bench.run(steps).result


def test_subjects_are_collected(bench: Bench) -> None:
    """Later steps read what earlier ones named; it stays in the job's record."""
    bench.record = bench.root / "record"
    result = run(
        bench,
        'cat "$GITHUB_ARTIFACTS_LIST"; echo; mkdir dist; printf abc > dist/app; cd dist; '
        f"printf '# made\\ndist/app\\r\\n\\nghcr.io/o/i:1@sha256:{A64}\\n' >> $GITHUB_ARTIFACTS",
        f'cat "$GITHUB_ARTIFACTS_LIST"; echo more > "$GITHUB_ARTIFACTS_LIST"; {ADD}'.format(
            f"oci://ghcr.io/o/i:1@sha256:{A64}"
        ),
    )
    subjects = [
        {"name": "app", "digest": digest(b"abc"), "kind": "file"},
        {"name": "ghcr.io/o/i:1", "digest": f"sha256:{A64}", "kind": "oci"},
    ]
    whole = json.dumps({"version": 1, "subjects": subjects}, separators=(",", ":"))
    assert result is Result.SUCCESS
    said = "Captured 2 artifact subject(s) from this step (job total: 2)."
    assert bench.output() == f'{{"version":1,"subjects":[]}}\n{said}\n{whole}'
    assert json.loads((bench.record / "artifacts.json").read_text()) == json.loads(whole)


FAULTS = [
    pytest.param("nope", "file 'nope' does not exist (relative paths are resolved", id="missing"),
    pytest.param("/nope/x", "file '/nope/x' does not exist", id="missing-absolute"),
    pytest.param("dist", "'dist' is a directory, not a regular file", id="folder"),
    pytest.param("fifo", "'fifo' is not a regular file", id="fifo"),
    pytest.param(f"x@sha256:{B64}", "Conflicting digest for artifact 'x': previously", id="other"),
    pytest.param("a=b", "entries containing '=' are reserved and not permitted", id="reserved"),
]


@pytest.mark.parametrize(("entry", "message"), FAULTS)
def test_a_wrong_entry_fails_the_step(bench: Bench, entry: str, message: str) -> None:
    """The step fails in the runner's words, and nothing of what it named counts."""
    result = run(
        bench,
        f"mkdir dist; mkfifo fifo; {ADD}".format(f"x@sha256:{A64}"),
        f'{ADD}; echo "y@sha256:{A64}" >> $GITHUB_ARTIFACTS'.format(entry),
        'grep -c "\\"name\\"" "$GITHUB_ARTIFACTS_LIST"; grep -o "\\"x\\"" "$GITHUB_ARTIFACTS_LIST"',
    )
    assert result is Result.FAILURE
    assert bench.errors()[0] == "Unable to process file command 'artifacts' successfully."
    assert bench.errors()[1].startswith(f"Invalid $GITHUB_ARTIFACTS entry on line 1: {message}")
    assert bench.output().endswith('1\n"x"\n')


def test_limits(bench: Bench) -> None:
    """More than 1 MiB in a file or 500 subjects are too much; one that is named again is not."""
    many = f'for i in $(seq 500); do echo "x$i@sha256:{A64}"; done >> $GITHUB_ARTIFACTS'
    result = run(
        bench,
        many,
        ADD.format(f"x1@sha256:{A64}"),
        ADD.format(f"new@sha256:{A64}"),
        'head -c 1048577 /dev/zero > "$GITHUB_ARTIFACTS"',
    )
    assert result is Result.FAILURE
    _, count, _, size = bench.errors()
    assert count.endswith(": The job has exceeded the maximum of 500 declared artifacts.")
    assert size == "$GITHUB_ARTIFACTS file exceeds the maximum size of 1024 KiB (got 1024 KiB)."


def test_a_folder_in_place_of_the_file(bench: Bench) -> None:
    """What is no file is nothing, as the runner has it."""
    assert run(bench, "rm $GITHUB_ARTIFACTS; mkdir $GITHUB_ARTIFACTS") is Result.SUCCESS


def test_links_lead_where_they_lead_for_the_step(tmp_path: Path) -> None:
    """A link in a container's workspace leads to its own files, and never to this machine's."""
    workspace, secret = tmp_path / "workspace", tmp_path / "secret"
    (workspace / "real").mkdir(parents=True)
    (workspace / "real" / "app").write_bytes(b"made")
    secret.write_bytes(b"hidden")
    for name, target in (
        ("inside", "/github/workspace/real/app"),
        ("folder", "./real"),
        ("upwards", "../../github/workspace/real/app"),
        ("outside", str(secret)),
        ("hosts", "/etc/hostname"),
        ("loop", "loop"),
    ):
        (workspace / name).symlink_to(target)

    def see(path: Path) -> Path | None:
        mounted = Path("/github/workspace")
        return workspace / path.relative_to(mounted) if path.is_relative_to(mounted) else None

    def add(entry: str) -> str:
        file = tmp_path / "file"
        file.write_text(entry)
        subjects = ArtifactSubjects()
        subjects.add(str(file), Path("/github/workspace"), see)
        return str(json.loads(subjects.describe())["subjects"][0]["digest"])

    for entry in ("inside", "folder/app", "upwards", "/github/workspace/folder/../real/app"):
        assert add(entry) == digest(b"made")
    for entry in ("outside", "hosts"):
        with pytest.raises(UnusableFileError, match="is not inside a volume mounted"):
            add(entry)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        add("loop")
