"""A job that prints its repository's secrets in every way: they are nowhere to be found."""

from __future__ import annotations

import base64
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard
from tests.asking import Asking, make_repository
from tests.collector import collecting
from tests.database_rows import read_rows
from tests.effect_servers import ADAPTERS
from tests.waiting import wait_until

from windlass.cli.main import main
from windlass.db.server_database import open_engine
from windlass.testing.servers import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAIN = "hunter2-and-some-more"
LINES = "first-secret-line\nsecond-secret-line"
WORKFLOW = """
name: Say
on: workflow_dispatch
env:
  ANYWHERE: ${{ secrets.PLAIN }}
jobs:
  build:
    name: build
    runs-on: ubuntu-latest
    outputs:
      leaked: ${{ steps.out.outputs.leaked }}
    steps:
      - name: in a name ${{ secrets.PLAIN }}
        run: echo "${{ secrets.PLAIN }}"
      - run: |
          set -x
          printf '%s' "$ANYWHERE"; echo; echo "x${ANYWHERE}y" >&2
          printf '%s' "$LINES"; echo
          echo "$LINES" | sed -n 2p
          printf '%s' "$ANYWHERE" | base64
          echo "::error file=x,title=$ANYWHERE::found $ANYWHERE"
          echo "::group::$ANYWHERE"
          echo "# $ANYWHERE" >> "$GITHUB_STEP_SUMMARY"
        env:
          LINES: ${{ secrets.LINES }}
      - id: out
        run: echo "leaked=$ANYWHERE" >> "$GITHUB_OUTPUT"
      - run: exit 3
  next:
    needs: build
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.build.outputs.leaked }} ${{ toJSON(needs) }}"
"""
FORMS = [
    PLAIN,
    "first-secret-line",
    "second-secret-line",
    base64.b64encode(PLAIN.encode()).decode(),
]


def run_job(ask: Asking, repository: Path) -> None:
    """Run the job to its end and look at all that there is to see of it."""
    ask.add_repository(repository)
    for name, value in (("PLAIN", PLAIN), ("LINES", LINES)):
        ask("PUT", f"/repositories/octo/boat/secrets/{name}", json={"value": value})
    ask("GET", "/repositories/octo/boat/secrets")
    run = ask.dispatch()
    for number in (1, 2):
        ask("GET", f"/runs/{run}/jobs/{number}/log")
    ask("GET", f"/runs/{run}")


def find_in_files(folder: Path, words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield every file below a folder that holds one of some words, and the word."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            yield from ((str(path), word) for word in words if word.encode() in content)


def unpack(path: Path) -> bytes:
    """All bytes of a backup."""
    with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as stream:
        unpacked = io.BytesIO(stream.read())
    with tarfile.open(fileobj=unpacked) as archive:
        files = (archive.extractfile(member) for member in archive)
        return b"".join(file.read() for file in files if file is not None)


def dump(address: str) -> str:
    """All rows of a database, those of DBOS in it too."""
    engine = open_engine(address)
    with engine.connect() as connection:
        rows = str(read_rows(connection))
    engine.dispose()
    return rows


@pytest.mark.parametrize("effects", ADAPTERS)
def test_secrets_are_nowhere_in_clear(
    database_address: str, tmp_path: Path, effects: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in answers, events, logs, traces, the server's log, files, database and backups."""
    repository, data = make_repository(tmp_path / "boat", WORKFLOW), tmp_path / "data"
    options = ("--allow-host", "--database", database_address)
    with collecting() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "WINDLASS_EFFECTS": effects}
        with run_server(data, *options, variables=variables) as server:
            ask = Asking(server)
            run_job(ask, repository)
            assert wait_until(lambda: len(collector.spans) >= 6)
            plain, full = tmp_path / "plain.tar.zst", tmp_path / "full.tar.zst"
            place = ["--data", str(data), "--database", database_address]
            assert main(["backup", str(plain), *place]) == 0
            assert main(["backup", str(full), *place, "--with-keys"]) == 0
            token = server.token
        traces = str(collector.spans)
    seen = {
        "answers": ask.answers,
        "traces": traces,
        "log": server.log.read_text(),
        "commands": str(capsys.readouterr()),
        "database": dump(database_address),
        "plain": unpack(plain).decode("latin-1"),
        "full": unpack(full).decode("latin-1"),
    }

    # What was printed is there to be found, masked.
    assert "x***y" in seen["answers"]
    assert "x***y" in seen["plain"]
    assert list(find_in_files(data, ["x***y"])) != []
    assert "in a name ***" in traces
    assert [(name, word) for name, text in seen.items() for word in FORMS if word in text] == []
    assert list(find_in_files(data, FORMS)) == []
    assert [name for name, text in seen.items() if token in text] == []
    assert [it for it, _ in find_in_files(data, [token])] == [str(data / "token")]
    key = (data / "key").read_text().split()[1]
    assert key in seen["full"]
    assert [name for name, text in seen.items() if key in text] == ["full"]
