// Calls of npm's @octokit/rest, each answer held against GitHub's published OpenAPI description.
// stdin: {"api", "token", "calls": [[group, name, parameters], …]}; stdout: one result for each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Octokit } from "@octokit/rest";
import addFormats from "ajv-formats";
import Ajv from "ajv";

const find = createRequire(import.meta.url).resolve;
const published = "@octokit/openapi/generated/api.github.com.json";
const description = JSON.parse(readFileSync(find(published)));

// OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own.
function allowNull(node) {
  if (Array.isArray(node)) return node.map(allowNull);
  if (node === null || typeof node !== "object") return node;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, allowNull(value)]),
  );
  return nullable === true ? { anyOf: [{ type: "null" }, rest] } : rest;
}

// Only what an answer refers to is compiled: the whole description has twelve megabytes.
const components = {};
function gather(node) {
  if (node === null || typeof node !== "object") return;
  for (const [key, value] of Object.entries(node)) {
    if (key !== "$ref" || typeof value !== "string") gather(value);
    else {
      const [, , kind, name] = value.split("/");
      components[kind] ??= {};
      if (name in components[kind]) continue;
      components[kind][name] = allowNull(description.components[kind][name]);
      gather(components[kind][name]);
    }
  }
}

function findProblems(url, verb, status, kind, data) {
  const contents = description.paths[url][verb].responses[status]?.content ?? {};
  const media = Object.keys(contents).find((it) => it === kind) ?? "application/json";
  if (!(media in contents)) return [`no schema for ${verb} ${url} ${status} ${media}`];
  const schema = allowNull(contents[media].schema);
  gather(schema);
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  addFormats(ajv);
  const validate = ajv.compile({ ...schema, components });
  if (validate(data)) return [];
  return validate.errors.map((error) => `${error.instancePath} ${error.message}`);
}

const { api, token, calls } = JSON.parse(readFileSync(0));
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const octokit = new Octokit({ baseUrl: api, auth: token, log: silent });
const results = [];
for (const [group, name, parameters] of calls) {
  const method = octokit.rest[group][name];
  const { url, method: verb } = method.endpoint.DEFAULTS;
  try {
    const { status, data, headers } = await method(parameters);
    const format = parameters.mediaType?.format;
    const kind = format ? `application/vnd.github.${format}` : "application/json";
    const isText = typeof data === "string" || data instanceof ArrayBuffer;
    const problems = isText ? [] : findProblems(url, verb.toLowerCase(), status, kind, data);
    const text = data instanceof ArrayBuffer ? Buffer.from(data).toString() : data;
    results.push({ status, data: text, link: headers.link ?? "", problems });
  } catch (error) {
    if (!error.status) throw error;
    results.push({ status: error.status, data: error.response?.data ?? null, problems: [] });
  }
}
process.stdout.write(JSON.stringify(results));
