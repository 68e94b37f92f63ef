"""Versions of caches made of folders of one job: recognised in another job's folder."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from windlass.services.caches.archives import list_names
from windlass.services.caches.portable import (
    LAYERS,
    Places,
    PortableVersion,
    compute_version,
    has_version,
    plain_version,
    qualify_version,
    read_portable,
    recognise,
)
from windlass.stores.blob_parts import FileSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FOLDER = "/r/.windlass/work/1/1-build"
WORKSPACE = f"{FOLDER}/name/name"
HOME = "../../_home"
PLACES = Places(folder=FOLDER, home=f"{FOLDER}/_home", workspace=WORKSPACE)


def test_version() -> None:
    """The version is what GitHub's client makes of `['a', 'b']`."""
    # Computed by getCacheVersion of @actions/cache 6.3.0.
    expected = "1b71f7dd5eeab9e1c7ea53d128ae5adce4e8146dee0240e343d08a3b62d49173"
    assert compute_version(["a", "b"], "zstd-without-long") == expected


@pytest.mark.parametrize(
    ("written", "names", "paths"),
    [
        pytest.param(
            [f"{FOLDER}/_home/.npm"],
            [f"{HOME}/.npm", f"{HOME}/.npm/_cacache", f"{HOME}/.npm/_cacache/x"],
            ["_home/.npm"],
            id="npm",
        ),
        pytest.param(
            [f"{FOLDER}/_home/go/pkg/mod", f"{FOLDER}/_home/.cache/go-build"],
            [f"{HOME}/go/pkg/mod", f"{HOME}/go/pkg/mod/a", f"{HOME}/.cache/go-build"],
            ["_home/go/pkg/mod", "_home/.cache/go-build"],
            id="go",
        ),
        pytest.param(
            [f"{WORKSPACE}/target"], ["target", "target/x"], ["name/name/target"], id="in"
        ),
        pytest.param(
            ["/opt/store", f"{FOLDER}/_home/.a"],
            ["../../../../../../../opt/store", f"{HOME}/.a"],
            ["/opt/store", "_home/.a"],
            id="one-elsewhere",
        ),
        pytest.param(["/opt/store"], ["../../../../../../../opt/store"], None, id="all-elsewhere"),
        pytest.param(["~/.npm"], [f"{HOME}/.npm"], None, id="written-relative-to-home"),
        pytest.param(["vendor"], ["vendor", "vendor/x"], None, id="written-relative"),
        pytest.param(
            [f"{FOLDER}/_home/a", f"{FOLDER}/_home/missing"], [f"{HOME}/a"], None, id="one-missing"
        ),
        pytest.param([f"{FOLDER}/_home/.npm"], [], None, id="no-archive"),
    ],
)
@pytest.mark.parametrize("method", ["zstd-without-long", "gzip"])
def test_recognition(
    method: str, written: list[str], names: list[str], paths: list[str] | None
) -> None:
    """Paths count that make the very version; another job's folder then makes its own of them."""
    version = compute_version(written, method)
    found = recognise(version, names, PLACES)
    assert found == (None if paths is None else PortableVersion(method, tuple(paths)))
    if found is not None:
        other = "/r/.windlass/work/2/7-test"
        moved = [path.replace(FOLDER, other) for path in written]
        assert read_portable(found.to_text()).place(other) == compute_version(moved, method)


def test_a_neighbour_with_a_longer_name_is_another_path() -> None:
    """`.npm-x` is not in `.npm`."""
    written = [f"{FOLDER}/_home/.npm", f"{FOLDER}/_home/.npm-x"]
    version = compute_version(written, "gzip")
    names = [f"{HOME}/.npm/", f"{HOME}/.npm-x/"]
    assert recognise(version, names, PLACES) == PortableVersion(
        "gzip", ("_home/.npm", "_home/.npm-x")
    )


@pytest.mark.parametrize(
    ("written", "name"),
    [("deps", "deps"), ("~/.npm", f"{HOME}/.npm"), (f"{FOLDER}/_home/.npm", f"{HOME}/.npm")],
    ids=["workspace", "home", "absolute"],
)
def test_no_more_is_read_than_is_needed(written: str, name: str) -> None:
    """The first entry tells all where there is but one path."""

    def list_entries() -> Iterator[str]:
        yield name
        pytest.fail("read on")

    recognise(compute_version([written], "zstd"), list_entries(), PLACES)


def test_many_paths_are_given_up() -> None:
    """An archive of a great many paths is not searched to its end."""
    names = (f"{number}" for number in range(10**9))
    assert recognise("0" * 64, names, PLACES) is None


def pack(names: list[str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 3000
            archive.addfile(entry, io.BytesIO(os.urandom(3000)))
    return packed.getvalue()


NAMES = ["../../_home/.npm", "é/" + "x" * 200, "z"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (zstandard.compress(pack(NAMES)), NAMES),
        (gzip.compress(pack(NAMES)), NAMES),
        (pack(NAMES), []),
        (zstandard.compress(b"no archive"), []),
        (b"", []),
    ],
    ids=["zstd", "gzip", "plain", "nonsense", "empty"],
)
def test_names_of_archives(tmp_path: Path, content: bytes, names: list[str]) -> None:
    """Names are read from pieces and files, as far as an archive is whole."""
    file = tmp_path / "part"
    file.write_bytes(b"ab" + content[7:] + b"cd")
    pieces = [content[:3], content[3:7], FileSlice(file, 2, max(len(content) - 7, 0))]
    assert list(list_names(iter(pieces))) == names


@pytest.mark.parametrize("compress", [zstandard.compress, gzip.compress], ids=["zstd", "gzip"])
@pytest.mark.parametrize("size", [5, 20, 1000, 4000, 9000])
def test_names_of_archives_that_are_cut(compress: Callable[[bytes], bytes], size: int) -> None:
    """What is damaged ends the list, and nothing else."""
    found = list(list_names(iter([compress(pack(NAMES))[:size]])))
    assert found == NAMES[: len(found)]


def test_layers_have_one_version() -> None:
    """BuildKit's client gives all layers the same version, which is not made of paths."""
    assert LAYERS == "693bb7016429d80366022f036f84856888c9f13e00145f5f6f4dce303a38d6f2"


HOST = Places(folder="/w/1", home="/w/1/_home", workspace="/w/1/n/n")
OTHER = Places(folder="/w/2", home="/w/2/_home", workspace="/w/2/n/n")
CONTAINER = Places(folder="/__w", home="/github/home", workspace="/__w/n/n")
STORE = PortableVersion("zstd", ("_home/.npm",))


@pytest.mark.parametrize(
    ("kept", "kept_by", "wanted", "wanted_by", "is_one"),
    [
        pytest.param("v", HOST, "v", OTHER, True, id="same"),
        pytest.param("v", HOST, "w", OTHER, False, id="another"),
        pytest.param("v", HOST, "v", CONTAINER, False, id="another-layout"),
        pytest.param(STORE.place("/w/1"), HOST, STORE.place("/w/2"), OTHER, True, id="moved"),
        pytest.param(STORE.place("/w/1"), HOST, STORE.place("/w/3"), OTHER, False, id="elsewhere"),
        pytest.param(
            STORE.place("/w/1"), HOST, STORE.place("/__w"), CONTAINER, False, id="moved-in-another"
        ),
        pytest.param(LAYERS, HOST, LAYERS, CONTAINER, True, id="layers-have-no-layout"),
    ],
)
def test_versions_of_other_jobs(
    kept: str, kept_by: Places, wanted: str, wanted_by: Places, *, is_one: bool
) -> None:
    """A cache counts that has the very version, or has it in the asking job's folder."""
    qualified = qualify_version(kept, kept_by)
    asked = qualify_version(wanted, wanted_by)
    assert has_version(qualified, STORE.to_text(), asked, wanted_by) is is_one
    assert plain_version(qualified) == kept
