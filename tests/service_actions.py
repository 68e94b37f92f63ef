"""Two actions that use the services of a job: `keep` stores what `fetch` finds in another job.

`fetch` prints `artifact true` and `cache true` where each is as it was stored.
"""

from __future__ import annotations

ACTION = "name: a\ndescription: d\nruns: {using: node20, main: main.js}\n"
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
ACTIONS = {
    "keep/action.yml": ACTION,
    "keep/main.js": CALLS + KEEP,
    "fetch/action.yml": ACTION,
    "fetch/main.js": CALLS + FETCH,
}
"""Their files, by path in a repository."""
