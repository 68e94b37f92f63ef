"""Lines of GITHUB_ARTIFACTS: the cases of src/Test/L0/Worker/CreateArtifactsFileCommandL0.cs."""

from __future__ import annotations

import pytest

from windlass.lang.artifact_subjects import (
    EntryFault,
    Subject,
    SubjectFile,
    parse_entry,
    read_lines,
)

NAME = "ghcr.io/octocat/myapp:1.0.0"
A64, B96, C128 = "a" * 64, "b" * 96, "c" * 128


def image(name: str, digest: str) -> Subject:
    return Subject(name, digest, "oci")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(f"{NAME}@sha256:{A64}", image(NAME, f"sha256:{A64}"), id="sha256"),
        pytest.param(f"ghcr.io/x/y@sha384:{B96}", image("ghcr.io/x/y", f"sha384:{B96}"), id="384"),
        pytest.param(
            f"ghcr.io/x/y@sha512:{C128}", image("ghcr.io/x/y", f"sha512:{C128}"), id="512"
        ),
        pytest.param(f"x@sha256:{A64.upper()}", image("x", f"sha256:{A64}"), id="lower-cased"),
        pytest.param(
            f"localhost:5000/repo/img:v1@sha256:{A64}",
            image("localhost:5000/repo/img:v1", f"sha256:{A64}"),
            id="registry-with-a-port",
        ),
        pytest.param(
            f"OCI://ghcr.io/x:1.0@sha256:{A64}", image("ghcr.io/x:1.0", f"sha256:{A64}"), id="oci"
        ),
        pytest.param(
            f"x@sha256:{A64[1:]}", SubjectFile(f"x@sha256:{A64[1:]}"), id="too-short-is-a-file"
        ),
        pytest.param(
            f"x@sha256:{'z' * 64}", SubjectFile(f"x@sha256:{'z' * 64}"), id="no-hex-is-a-file"
        ),
        pytest.param(f"file://image@sha256:{A64}", SubjectFile(f"image@sha256:{A64}"), id="file"),
        pytest.param("dist/myapp", SubjectFile("dist/myapp"), id="a-path"),
        pytest.param(
            "File://  ", EntryFault("file:// entries must include a path"), id="file-without-path"
        ),
        pytest.param(
            "oci://ghcr.io/x:1.0",
            EntryFault("oci:// entries must include an @sha{256,384,512}:<hex> digest"),
            id="oci-without-digest",
        ),
        pytest.param(
            f"oci://x@sha256:{A64[1:]}",
            EntryFault("digest 'sha256' must be 64 hex characters, got 63"),
            id="oci-with-a-short-digest",
        ),
        pytest.param(
            f"name=ghcr.io/x@sha256:{A64}",
            EntryFault("entries containing '=' are reserved and not permitted"),
            id="equals-sign",
        ),
        pytest.param(
            "https://example.com/a", EntryFault("unsupported URI scheme"), id="another-scheme"
        ),
    ],
)
def test_entries(entry: str, expected: object) -> None:
    """A line is an image with its digest, a path, or the runner's message."""
    assert parse_entry(entry) == expected


def test_lines() -> None:
    """Empty lines and comments count as lines and say nothing; any line end ends one."""
    text = "# comment\r\n  a  \n\n   # more\r\tb\n"
    assert list(read_lines(text)) == [(2, "a"), (5, "b")]
