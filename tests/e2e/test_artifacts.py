"""Artifacts from outside: a repository whose actions upload in one job and download in another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests import npm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

PACKAGE = "@actions/artifact@6.2.1"
ACTION = "name: a\ndescription: d\nruns: {using: node20, main: main.mjs}\n"
UPLOAD = """
import {DefaultArtifactClient} from '@actions/artifact';
import {mkdirSync, writeFileSync} from 'node:fs';
console.log(`token ${process.env.ACTIONS_RUNTIME_TOKEN}`);
mkdirSync('out/sub', {recursive: true});
writeFileSync('out/sub/a.txt', 'from the first job');
// Runs of the same two seconds, which are one in a ZIP, have other artifacts all the same.
writeFileSync('out/run.txt', process.env.GITHUB_RUN_ID);
const files = ['out/sub/a.txt', 'out/run.txt'];
await new DefaultArtifactClient().uploadArtifact('mine', files, 'out');
"""
DOWNLOAD = """
import {DefaultArtifactClient} from '@actions/artifact';
import {readFileSync} from 'node:fs';
const client = new DefaultArtifactClient();
const {artifact} = await client.getArtifact('mine');
await client.downloadArtifact(artifact.id, {path: 'got', expectedHash: artifact.digest});
console.log(`got: ${readFileSync('got/sub/a.txt', 'utf8')}`);
"""
WORKFLOW = """\
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./upload
      - run: env | grep -c ^ACTIONS_ || echo "no variables for scripts"
      - run: echo "server $GITHUB_SERVER_URL"
  two:
    needs: one
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./download
      - run: test ! -e fail
"""


@pytest.fixture
def shared(repository: Repository) -> Repository:
    """A repository with both actions; the folders above it have the client."""
    home = npm.install("artifact-6.2.1", PACKAGE)
    (repository.path.parent / "node_modules").symlink_to(home / "node_modules")
    repository.write("upload/action.yml", ACTION)
    repository.write("upload/main.mjs", UPLOAD)
    repository.write("download/action.yml", ACTION)
    repository.write("download/main.mjs", DOWNLOAD)
    repository.workflow(WORKFLOW)
    repository.commit()
    return repository


@pytest.mark.requirement("A19")
def test_between_jobs(shared: Repository) -> None:
    """What an action of one job uploads, one of the next downloads; no token is shown or kept."""
    done = shared.windlass("run")

    assert done.returncode == 0, done.stdout
    assert "got: from the first job" in done.stdout
    assert "token ***" in done.stdout
    assert "no variables for scripts" in done.stdout
    assert "server https://github.com" in done.stdout
    assert "eyJ" not in done.stdout
    for file in (shared.path / ".windlass").rglob("*"):
        assert not file.is_file() or b"eyJ0eXAi" not in file.read_bytes(), file


def test_jobs_that_run_again_find_what_others_left(shared: Repository) -> None:
    """An attempt that repeats what failed still finds the artifacts of the jobs that are kept."""
    shared.write("fail", "")
    shared.commit()
    assert shared.windlass("run").returncode == 1

    again = shared.windlass("rerun", "--failed")

    assert "got: from the first job" in again.stdout
    assert "token ***" not in again.stdout


def test_pruning(shared: Repository) -> None:
    """Pruning leaves the artifacts of runs that stay and removes those of runs that go."""
    shared.windlass("run")
    blobs = shared.path / ".windlass" / "blobs"
    first = list_blobs(blobs)
    assert shared.windlass("prune").returncode == 0
    assert list_blobs(blobs) == first != set()

    shared.windlass("run")
    lines = shared.windlass("prune", "--runs", "1", "--json").stdout.splitlines()

    assert len(list_blobs(blobs)) == 1
    assert list_blobs(blobs).isdisjoint(first)
    assert "blobs" in {json.loads(line)["kind"] for line in lines}


def list_blobs(path: Path) -> set[str]:
    return {folder.name for folder in path.glob("[0-9a-f][0-9a-f]/*")}
