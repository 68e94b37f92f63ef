"""Wherever a job runs, its actions reach what serves them: artifacts, caches, tokens, summaries."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.images import TOOLS, make_tools_image

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

IMAGE = "windlass-test/services"
ACTION = "name: a\ndescription: d\nruns: {{using: node20, main: {main}}}\n"
CALLS = """
const fs = require('node:fs');
const {createHash} = require('node:crypto');
const call = async (service, method, fields) => {
  const token = process.env.ACTIONS_RUNTIME_TOKEN;
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  const [, run, job] = claims.scp.split(':');
  const answer = await fetch(
    `${process.env.ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.${service}/${method}`,
    {method: 'POST', headers: {authorization: `Bearer ${token}`}, body: JSON.stringify({
      workflow_run_backend_id: run, workflow_job_run_backend_id: job, ...fields})});
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${JSON.stringify(said)}`);
  return said;
};
const put = (address, body) => fetch(address, {method: 'PUT', body});
const content = Buffer.alloc(100_000, 'what one job has kept, another fetches; ');
const version = 'a'.repeat(64);
const get = async address => Buffer.from(await (await fetch(address)).arrayBuffer());
const fails = error => { console.error(error); process.exitCode = 1; };
"""
KEEP = """
(async () => {
  const made = await call('ArtifactService', 'CreateArtifact', {name: 'mine', version: 7});
  await put(made.signed_upload_url, content);
  const hash = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await call('ArtifactService', 'FinalizeArtifact', {name: 'mine', size: content.length, hash});
  const entry = await call('CacheService', 'CreateCacheEntry', {key: 'k', version});
  await put(entry.signed_upload_url, content);
  await call('CacheService', 'FinalizeCacheEntryUpload', {key: 'k', version});
  const {ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer} = process.env;
  const asked = await fetch(`${url}&audience=me`, {headers: {authorization: `Bearer ${bearer}`}});
  const claims = JSON.parse(Buffer.from((await asked.json()).value.split('.')[1], 'base64url'));
  console.log(`token for ${claims.aud}`);
  fs.appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# Kept by an action\\n');
})().catch(fails);
"""
FETCH = """
(async () => {
  const {signed_url} = await call('ArtifactService', 'GetSignedArtifactURL', {name: 'mine'});
  console.log(`artifact ${(await get(signed_url)).equals(content)}`);
  const found = await call('CacheService', 'GetCacheEntryDownloadURL', {key: 'k', version});
  console.log(`cache ${found.ok && (await get(found.signed_download_url)).equals(content)}`);
  console.log(`may ask ${'ACTIONS_ID_TOKEN_REQUEST_URL' in process.env}`);
})().catch(fails);
"""
WORKFLOW = """\
on: push
jobs:
  keep:
    runs-on: there
    CONTAINER
    permissions: {id-token: write}
    steps:
      - uses: actions/checkout@v4
      - uses: ./keep
  fetch:
    needs: keep
    runs-on: here
    steps:
      - uses: actions/checkout@v4
      - uses: ./fetch
  back:
    needs: keep
    runs-on: there
    CONTAINER
    steps:
      - uses: actions/checkout@v4
      - uses: ./fetch
"""
PLACES = ["host", "sandbox", "sandbox:offline", "docker", "container"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Where the jobs that keep something run; `container` is one that the workflow names."""
    place: str = request.param
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH: actions cannot run")
    if place.startswith("sandbox") and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if place in ("docker", "container"):
        engine = request.getfixturevalue("docker")
        make_tools_image(engine, IMAGE, (*TOOLS, "node"))
    return place


@pytest.mark.requirement("A19")
@pytest.mark.requirement("A21")
def test_services_are_reached(repository: Repository, place: str) -> None:
    """What is kept in one place is fetched in that place and on the machine."""
    for name, main in (("keep", KEEP), ("fetch", FETCH)):
        repository.write(f"{name}/action.yml", ACTION.format(main="main.js"))
        repository.write(f"{name}/main.js", CALLS + main)
    container = f"container: {IMAGE}" if place == "container" else ""
    repository.workflow(WORKFLOW.replace("    CONTAINER\n", f"    {container}\n"))
    repository.commit()
    there = {"docker": f"docker://{IMAGE}", "container": "host"}.get(place, place)

    daemon = {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {}

    done = repository.windlass("run", "-P", f"there={there}", "-P", "here=host", variables=daemon)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("artifact true") == 2
    assert "token for me" in done.stdout
    assert done.stdout.count("may ask false") == 2
    # A container has its HOME elsewhere: what it packs is not for jobs on the machine.
    is_elsewhere = place in ("docker", "container")
    assert done.stdout.count("cache true") == (1 if is_elsewhere else 2)
    assert "Kept by an action" in repository.windlass("show", "--json").stdout
