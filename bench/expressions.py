"""How long expressions take, against Python functions written by hand that do the same.

The expressions are from the workflows in tests/corpus/ok. Each is evaluated with contexts that were
never seen before, and must give what its twin gives. Fails where the median ratio is above LIMIT.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from windlass.lang.expressions import Compiled, FunctionInfo, compile_expression, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    Contexts = dict[str, Any]
    Twin = Callable[[Contexts], Any]

LIMIT = 15
ROUNDS = 7
FRESH = 400
WORKFLOWS = Path(__file__).resolve().parent.parent / "tests/corpus/ok/.github/workflows"
STATUS = {
    "always": FunctionInfo(0, 0),
    "failure": FunctionInfo(0, 0),
    "cancelled": FunctionInfo(0, 0),
}
FUNCTIONS = {
    "always": lambda _arguments: True,
    "failure": lambda _arguments: False,
    "cancelled": lambda _arguments: False,
}

PUSH: Contexts = {
    "github": {
        "actor": "mara", "base_ref": "", "event_name": "push", "head_ref": "", "ref_name": "main",
        "ref": "refs/heads/main", "ref_type": "branch", "repository": "tidewater/tidewater",
        "repository_owner": "tidewater", "run_attempt": 1, "run_id": 17402218840, "run_number": 418,
        "server_url": "https://github.com", "sha": "8d0f2a1c" * 5, "workflow": "ci",
        "event": {
            "before": "1f" * 20, "after": "8d0f2a1c" * 5, "ref": "refs/heads/main",
            "head_commit": {"message": "bus: retry", "timestamp": "2025-11-20T10:00:00Z"},
            "pull_request": {
                "number": 12, "draft": False, "title": "Retry",
                "base": {"sha": "aa" * 20, "ref": "main"},
                "head": {"sha": "bb" * 20, "repo": {"full_name": "tidewater/tidewater"}},
                "labels": [{"name": "bug"}, {"name": "bus"}],
            },
            "issue": {"number": 7, "author_association": "MEMBER", "pull_request": {"url": "x"}},
            "comment": {"body": "/test redis", "author_association": "OWNER"},
            "action": "opened", "review": {"state": "approved"}, "release": {"tag_name": "v1.2.3"},
        },
    },
    "env": {"REGISTRY": "ghcr.io", "CONTRACT_BASE_URL": "https://x", "IMAGE_PREFIX": "tidewater"},
    "vars": {"PROMETHEUS_URL": "https://p", "AWS_PLAN_ROLE": "arn:plan"},
    "secrets": {"GITHUB_TOKEN": "t", "NPM_TOKEN": "n", "KUBE_CONFIG_PRODUCTION": "k"},
    "runner": {"os": "Linux", "arch": "X64", "temp": "/tmp", "tool_cache": "/opt"},
    "job": {"status": "success", "services": {"redis": {"ports": {"6379": "32768"}}}},
    "strategy": {"job-index": 0, "job-total": 4, "fail-fast": True, "max-parallel": 4},
    "matrix": {
        "arch": "arm64", "image": "api", "target": "x86_64-linux-musl", "os": "ubuntu-latest",
        "python-version": "3.12", "toolchain": "stable", "node": "22", "experimental": True,
    },
    "inputs": {
        "environment": "staging", "strategy": "canary", "level": "full", "app-type": "worker",
        "run-e2e": True, "dry-run": False, "fail-on-findings": True, "target": "", "users": None,
        "verbose": False, "package": "contracts", "run-lintian": True, "action": "apply",
    },
    "steps": {
        "version": {"outputs": {"version": "1.2.3", "prerelease": "false"}, "outcome": "success"},
        "corpus": {"outputs": {"cache-hit": "false"}, "outcome": "success"},
        "count": {"outputs": {"findings": "3"}, "outcome": "success"},
        "build": {"outputs": {}, "outcome": "failure", "conclusion": "failure"},
        "judge": {"outputs": {"verdict": "good"}, "outcome": "success"},
        "list": {"outputs": {"count": "2", "agents": '["a", "b"]'}, "outcome": "success"},
    },
    "needs": {
        "build": {"result": "success", "outputs": {"version": "1.2.3", "digest": "sha256:0"}},
        "canary": {"result": "success", "outputs": {"verdict": "good"}},
        "plan": {"result": "success", "outputs": {"changes": "true"}},
        "deploy": {"result": "failure", "outputs": {}},
        "modern": {"result": "failure", "outputs": {"findings": "1"}},
        "parse": {"result": "success", "outputs": {"command": "test", "argument": "redis"}},
        "scopes": {"result": "success", "outputs": {"node": "2", "packages": '["bus", "mcp"]'}},
    },
}  # fmt: skip

TWINS: dict[str, Twin] = {
    "github.ref": lambda c: c["github"]["ref"],
    "github.workflow": lambda c: c["github"]["workflow"],
    "github.sha": lambda c: c["github"]["sha"],
    "github.run_id": lambda c: c["github"]["run_id"],
    "matrix.image": lambda c: c["matrix"]["image"],
    "matrix.python-version": lambda c: c["matrix"]["python-version"],
    "secrets.GITHUB_TOKEN": lambda c: c["secrets"]["GITHUB_TOKEN"],
    "inputs.environment": lambda c: c["inputs"]["environment"],
    "env.REGISTRY": lambda c: c["env"]["REGISTRY"],
    "runner.os": lambda c: c["runner"]["os"],
    "job.status": lambda c: c["job"]["status"],
    "vars.PROMETHEUS_URL": lambda c: c["vars"]["PROMETHEUS_URL"],
    "strategy.job-total": lambda c: c["strategy"]["job-total"],
    "steps.version.outputs.version": lambda c: c["steps"]["version"]["outputs"]["version"],
    "needs.build.outputs.digest": lambda c: c["needs"]["build"]["outputs"]["digest"],
    "needs.deploy.result": lambda c: c["needs"]["deploy"]["result"],
    "github.event.pull_request.number": lambda c: c["github"]["event"]["pull_request"]["number"],
    "github.event.release.tag_name": lambda c: c["github"]["event"]["release"]["tag_name"],
    "job.services.redis.ports['6379']": lambda c: c["job"]["services"]["redis"]["ports"]["6379"],
    "always()": lambda _c: True,
    "!cancelled()": lambda _c: True,
    "!cancelled() && !failure()": lambda _c: True,
    "github.event_name == 'pull_request'": lambda c: c["github"]["event_name"] == "pull_request",
    "github.ref == 'refs/heads/main'": lambda c: c["github"]["ref"] == "refs/heads/main",
    "github.event_name == 'push'": lambda c: c["github"]["event_name"] == "push",
    "runner.os == 'Linux'": lambda c: c["runner"]["os"] == "Linux",
    "steps.corpus.outputs.cache-hit != 'true'": lambda c: (
        c["steps"]["corpus"]["outputs"]["cache-hit"] != "true"
    ),
    "steps.build.outcome == 'failure'": lambda c: c["steps"]["build"]["outcome"] == "failure",
    "strategy.job-index == 0": lambda c: c["strategy"]["job-index"] == 0,
    "matrix.experimental == true": lambda c: c["matrix"]["experimental"] is True,
    "github.event.pull_request.draft == false": lambda c: (
        c["github"]["event"]["pull_request"]["draft"] is False
    ),
    "inputs.target || 'https://api.staging.tidewater.example'": lambda c: (
        c["inputs"]["target"] or "https://api.staging.tidewater.example"
    ),
    "inputs.users || 20": lambda c: c["inputs"]["users"] or 20,
    "inputs.package || 'contracts'": lambda c: c["inputs"]["package"] or "contracts",
    "github.event.pull_request.base.sha || github.event.before": lambda c: (
        c["github"]["event"]["pull_request"]["base"]["sha"] or c["github"]["event"]["before"]
    ),
    "matrix.arch == 'arm64' && 'ubuntu-24.04-arm' || 'ubuntu-latest'": lambda c: (
        "ubuntu-24.04-arm" if c["matrix"]["arch"] == "arm64" else "ubuntu-latest"
    ),
    "inputs.verbose && '1' || ''": lambda c: "1" if c["inputs"]["verbose"] else "",
    "matrix.toolchain == 'stable' && runner.os == 'Linux'": lambda c: (
        c["matrix"]["toolchain"] == "stable" and c["runner"]["os"] == "Linux"
    ),
    "inputs.run-e2e && inputs.app-type != 'worker'": lambda c: (
        c["inputs"]["run-e2e"] and c["inputs"]["app-type"] != "worker"
    ),
    "always() && needs.parse.result == 'success'": lambda c: (
        c["needs"]["parse"]["result"] == "success"
    ),
    "github.event_name == 'schedule' && needs.modern.result == 'failure'": lambda c: (
        c["github"]["event_name"] == "schedule" and c["needs"]["modern"]["result"] == "failure"
    ),
    "needs.plan.outputs.changes == 'true' && (github.event_name == 'push' || "
    "inputs.action == 'apply')": lambda c: (
        c["needs"]["plan"]["outputs"]["changes"] == "true"
        and (c["github"]["event_name"] == "push" or c["inputs"]["action"] == "apply")
    ),
    "github.ref == 'refs/heads/main' && (github.event_name == 'push' || "
    "inputs.environment == 'staging')": lambda c: (
        c["github"]["ref"] == "refs/heads/main"
        and (c["github"]["event_name"] == "push" or c["inputs"]["environment"] == "staging")
    ),
    "steps.list.outputs.count != '0' && (github.event_name == 'schedule' || "
    "!inputs.dry-run)": lambda c: (
        c["steps"]["list"]["outputs"]["count"] != "0"
        and (c["github"]["event_name"] == "schedule" or not c["inputs"]["dry-run"])
    ),
    "github.event_name == 'push' || github.event.pull_request.head.repo.full_name == "
    "github.repository": lambda c: (
        c["github"]["event_name"] == "push"
        or c["github"]["event"]["pull_request"]["head"]["repo"]["full_name"]
        == c["github"]["repository"]
    ),
    "startsWith(github.ref, 'refs/tags/v')": lambda c: (
        c["github"]["ref"].lower().startswith("refs/tags/v")
    ),
    "startsWith(matrix.target, 'x86_64')": lambda c: (
        c["matrix"]["target"].lower().startswith("x86_64")
    ),
    "startsWith(github.ref, 'refs/tags/v') || inputs.environment == 'production'": lambda c: (
        c["github"]["ref"].lower().startswith("refs/tags/v")
        or c["inputs"]["environment"] == "production"
    ),
    "!endsWith(github.actor, '[bot]')": lambda c: (
        not c["github"]["actor"].lower().endswith("[bot]")
    ),
    "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')": lambda c: (
        "failure" in [need["result"] for need in c["needs"].values()]
        or "cancelled" in [need["result"] for need in c["needs"].values()]
    ),
    "fromJson(needs.scopes.outputs.packages)": lambda c: json.loads(
        c["needs"]["scopes"]["outputs"]["packages"]
    ),
    "inputs.fail-on-findings && fromJson(steps.count.outputs.findings) > 0": lambda c: (
        c["inputs"]["fail-on-findings"]
        and json.loads(c["steps"]["count"]["outputs"]["findings"]) > 0
    ),
    "toJson(needs)": lambda c: json.dumps(c["needs"], indent=2),
    "case(github.event_name == 'push', 30, 60)": lambda c: (
        30 if c["github"]["event_name"] == "push" else 60
    ),
    "case(inputs.level == 'full', 'full', 'quick')": lambda c: (
        "full" if c["inputs"]["level"] == "full" else "quick"
    ),
}


def main() -> int:
    written = "\n".join(path.read_text("utf-8") for path in sorted(WORKFLOWS.glob("*.yml")))
    absent = [text for text in TWINS if text not in " ".join(written.split())]
    if absent:
        print("not in tests/corpus/ok any more:", *absent, sep="\n  ")
        return 1
    fresh = [json.loads(json.dumps(PUSH)) for _ in range(FRESH)]
    rows = [measure(text, twin, fresh) for text, twin in TWINS.items()]
    for ratio, ours, twins, text in sorted(rows):
        print(f"{ours:8.0f} ns {twins:7.0f} ns {ratio:6.1f} x  {text}")
    ratio = statistics.median(row[0] for row in rows)
    ours = statistics.median(row[1] for row in rows)
    print(
        f"{len(rows)} expressions: median {ours:.0f} ns, {ratio:.1f} times the twin (limit {LIMIT})"
    )
    print(f"parsing: median {statistics.median(map(parsing_time, TWINS)):.1f} µs an expression")
    return 0 if ratio <= LIMIT else 1


def measure(text: str, twin: Twin, fresh: list[Contexts]) -> tuple[float, float, float, str]:
    """Return ratio, nanoseconds of ours and of the twin for one evaluation, and the expression."""
    compiled = compile_expression(text, contexts=frozenset(PUSH), functions=STATUS)
    assert isinstance(compiled, Compiled), compiled
    assert compiled.evaluate(fresh[0], FUNCTIONS) == twin(fresh[0]), text
    evaluate = compiled.evaluate
    ours = timed(lambda: [evaluate(contexts, FUNCTIONS) for contexts in fresh])
    twins = timed(lambda: [twin(contexts) for contexts in fresh])
    return ours / twins, ours, twins, text


def timed(work: Callable[[], object]) -> float:
    """Return the nanoseconds of the fastest round for one of the FRESH evaluations."""
    rounds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        work()
        rounds.append(perf_counter() - started)
    return min(rounds) / FRESH * 1e9


def parsing_time(text: str) -> float:
    """Return the microseconds that parsing takes."""
    names = frozenset(PUSH)
    rounds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        parse(text, contexts=names, functions=STATUS)
        rounds.append(perf_counter() - started)
    return min(rounds) * 1e6


if __name__ == "__main__":
    sys.exit(main())
