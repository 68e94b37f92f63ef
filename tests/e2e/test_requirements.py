"""Each row of the requirements about triggers, jobs and gates, as a small workflow that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What steps printed, in order; nothing may have been said against the workflow."""
    assert done.stderr == "", done.stderr
    lines = [line.partition(" │   ") for line in done.stdout.splitlines()]
    return [text for _, mark, text in lines if mark]


def starts_nothing(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 0 and "starts no workflow" in done.stderr


ONE_STEP = """\
on: %s
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - run: echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_REF_TYPE"
"""


@pytest.mark.requirement("A01")
def test_every_workflow_file_is_read(repository: Repository) -> None:
    """All .yml and .yaml files of .github/workflows take part, files in folders below it do not."""
    for name in ("a.yml", "b.yaml", "below/c.yml"):
        repository.workflow(ONE_STEP % "push" + f"      - run: echo this is {name}\n", name)
    repository.commit()

    texts = said(repository.windlass("run"))
    assert [text for text in texts if "this is" in text] == ["this is a.yml", "this is b.yaml"]


@pytest.mark.requirement("A02")
@pytest.mark.parametrize(
    ("branch", "runs"),
    [("main", True), ("develop", True), ("feature/x", False)],
)
def test_a_push_by_branch(repository: Repository, branch: str, runs: bool) -> None:
    """A push runs on the branches that are named, and on no other."""
    repository.workflow(ONE_STEP % "{push: {branches: [main, develop]}}")
    repository.commit()
    repository.git("checkout", "--quiet", "-B", branch)
    done = repository.windlass("run")

    if runs:
        assert said(done) == [f"push refs/heads/{branch} branch"]
    else:
        assert starts_nothing(done)


@pytest.mark.requirement("A03")
@pytest.mark.parametrize(
    ("base", "file", "runs"),
    [
        ("main", "src/app.py", True),
        ("main", "docs/app.md", False),
        ("legacy", "src/app.py", False),
    ],
    ids=["both", "other-path", "other-base"],
)
def test_a_pull_request_by_branch_and_path(
    repository: Repository, base: str, file: str, runs: bool
) -> None:
    """A pull request counts only into a named base and with a change in a named path."""
    repository.workflow(ONE_STEP % '{pull_request: {branches: [main], paths: ["src/**"]}}')
    repository.commit()
    repository.git("branch", "legacy")
    repository.git("switch", "--quiet", "--create", "feature")
    repository.write(file, "changed\n")
    repository.commit()
    done = repository.windlass("run", "pull_request", "--base", base)

    if runs:
        assert said(done) == ["pull_request refs/pull/1/merge branch"]
    else:
        assert starts_nothing(done)


@pytest.mark.requirement("A04")
@pytest.mark.parametrize(("tag", "runs"), [("v1.2.0", True), ("nightly-7", False)])
def test_a_pushed_tag(repository: Repository, tag: str, runs: bool) -> None:
    """A pushed tag runs the workflow whose patterns it matches; a push of a branch does not."""
    repository.workflow(ONE_STEP % '{push: {tags: ["v[0-9]+.*"]}}')
    repository.commit()
    assert starts_nothing(repository.windlass("run"))
    repository.git("tag", tag)
    repository.git("checkout", "--quiet", "--detach")
    done = repository.windlass("run")

    if runs:
        assert said(done) == [f"push refs/tags/{tag} tag"]
    else:
        assert starts_nothing(done)


DISPATCH = """\
on:
  workflow_dispatch:
    inputs:
      architecture: {type: choice, options: [all, amd64, arm64]}
      force_rebuild: {type: boolean, default: false}
      environment: {type: environment, default: staging}
      retries: {type: number, default: 2}
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        architecture: >-
          ${{ fromJSON(inputs.architecture == 'all' && '["amd64", "arm64"]'
              || format('["{0}"]', inputs.architecture)) }}
    steps:
      - run: echo "build ${{ matrix.architecture }}"
      - if: inputs.force_rebuild
        run: echo "from nothing"
      - run: echo "for ${{ inputs.environment }}, ${{ inputs.retries == 2 }}"
"""


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, ["build amd64", "build arm64", "for staging, true", "for staging, true"]),
        (
            {"architecture": "arm64", "force_rebuild": "true", "environment": "production"},
            ["build arm64", "for production, true", "from nothing"],
        ),
        ({"architecture": "amd64", "retries": "3"}, ["build amd64", "for staging, false"]),
    ],
    ids=["defaults", "all-given", "one-architecture"],
)
def test_typed_inputs(repository: Repository, inputs: dict[str, str], expected: list[str]) -> None:
    """Inputs have their types and defaults, and decide the matrix, steps and texts."""
    repository.workflow(DISPATCH)
    repository.commit()
    options = [word for name, value in inputs.items() for word in ("--input", f"{name}={value}")]

    assert sorted(said(repository.windlass("run", "workflow_dispatch", *options))) == expected


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
@pytest.mark.parametrize(
    "given", ["architecture=riscv64", "force_rebuild=perhaps", "retries=many", "colour=blue"]
)
def test_inputs_that_do_not_fit(repository: Repository, given: str) -> None:
    """A value that is no option or of another type, and an unknown input, stop before any job."""
    repository.workflow(DISPATCH)
    repository.commit()
    done = repository.windlass("run", "workflow_dispatch", "--input", given)

    assert done.returncode != 0
    assert done.stdout == ""
    assert given.partition("=")[0] in done.stderr


@pytest.mark.requirement("A06")
def test_a_nightly_run(repository: Repository) -> None:
    """A schedule runs on the default branch and knows the line that started it."""
    repository.workflow(
        ONE_STEP % '{schedule: [{cron: "0 2 * * *"}]}'
        + '      - run: echo "at ${{ github.event.schedule }}"\n'
    )
    repository.commit()
    repository.git("switch", "--quiet", "--create", "feature")

    assert starts_nothing(repository.windlass("run"))
    done = repository.windlass("run", "schedule")
    assert said(done) == ["schedule refs/heads/main branch", "at 0 2 * * *"]


GATES = """\
on:
  workflow_call:
    inputs:
      least: {type: number, required: true}
    secrets:
      TOKEN: {required: true}
    outputs:
      verdict: {value: "${{ jobs.coverage.outputs.verdict }}"}
jobs:
  coverage:
    runs-on: ubuntu-latest
    outputs:
      verdict: ${{ steps.judge.outputs.verdict }}
    steps:
      - id: judge
        env: {TOKEN: "${{ secrets.TOKEN }}", LEAST: "${{ inputs.least }}"}
        run: |
          test "$TOKEN" = from-caller
          echo "verdict=at least $LEAST" >> "$GITHUB_OUTPUT"
"""
CALLER = """\
on: push
jobs:
  gates:
    uses: ./.github/workflows/gates.yml
    with: {least: 85}
    secrets: {TOKEN: "${{ secrets.OURS }}"}
  release:
    needs: gates
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.gates.outputs.verdict }}"
"""


@pytest.mark.requirement("A07")
def test_quality_gates_are_reused(repository: Repository) -> None:
    """A called workflow takes typed inputs and secrets, and gives its outputs back."""
    repository.workflow(GATES, "gates.yml")
    repository.workflow(CALLER)
    repository.commit()
    done = repository.windlass("run", "--secret", "OURS", variables={"OURS": "from-caller"})

    assert said(done) == ["at least 85"]
    wrong = repository.windlass("run", "--secret", "OURS", variables={"OURS": "another"})
    assert wrong.returncode == 1
    assert "│   at least" not in wrong.stdout


IMAGES = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: %s
      max-parallel: 1
      matrix:
        component: [api, mcp]
        architecture: [amd64, arm64]
        exclude: [{component: mcp, architecture: arm64}]
        include:
          - {component: api, architecture: arm64, emulated: true}
          - {component: mcp-unified, architecture: amd64}
    steps:
      - run: |
          echo "$NAME"
          test "$NAME" != "api arm64 true"
        env:
          NAME: ${{ matrix.component }} ${{ matrix.architecture }} ${{ matrix.emulated }}
"""


@pytest.mark.requirement("A10")
@pytest.mark.parametrize(
    ("fail_fast", "expected"),
    [
        ("false", ["api amd64", "api arm64 true", "mcp amd64", "mcp-unified amd64"]),
        ("true", ["api amd64", "api arm64 true"]),
    ],
    ids=["fail-fast-false", "fail-fast"],
)
def test_components_and_architectures(
    repository: Repository, fail_fast: str, expected: list[str]
) -> None:
    """Legs run in order with what include adds; one failure stops the rest unless told not to."""
    repository.workflow(IMAGES % fail_fast)
    repository.commit()
    done = repository.windlass("run")
    names = [text.rstrip() for text in said(done) if text.startswith(("api", "mcp"))]

    assert done.returncode == 1
    assert names == expected


LIGHT_AND_HEAVY = """\
on: {push: {}, pull_request: {}}
jobs:
  light:
    runs-on: ubuntu-latest
    steps: [{run: echo light}]
  heavy:
    needs: light
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps: [{run: echo heavy}]
"""


@pytest.mark.requirement("A15")
@pytest.mark.requirement("A18")
@pytest.mark.parametrize(
    ("branch", "event", "expected"),
    [
        ("main", "push", ["light", "heavy"]),
        ("develop", "push", ["light"]),
        ("develop", "pull_request", ["light"]),
    ],
)
def test_heavy_builds_on_main_only(
    repository: Repository, branch: str, event: str, expected: list[str]
) -> None:
    """The heavy job runs for a push to main; elsewhere the light one alone."""
    repository.workflow(LIGHT_AND_HEAVY)
    repository.commit()
    repository.git("checkout", "--quiet", "-B", branch)
    done = repository.windlass("run", event)

    assert said(done) == expected
    assert done.returncode == 0


MAPPING = """\
on: {push: {branches: [main, develop]}}
env:
  STAGE: ${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment:
      name: ${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}
      url: https://${{ vars.HOST }}
    env:
      TOKEN: ${{ secrets.TOKEN }}
    steps:
      - env: {WHERE: "${{ env.STAGE }} on ${{ vars.HOST }}"}
        run: |
          echo "deploy to $WHERE with ${#TOKEN} characters, which are $TOKEN"
"""


@pytest.mark.requirement("A16")
@pytest.mark.requirement("A27")
@pytest.mark.parametrize(
    ("branch", "environment", "other"),
    [("develop", "staging", "production"), ("main", "production", "staging")],
)
def test_a_branch_chooses_its_environment(
    repository: Repository, branch: str, environment: str, other: str
) -> None:
    """Environment, variables and secrets meet in one job, held until its environment is allowed."""
    repository.workflow(MAPPING)
    repository.commit()
    repository.git("checkout", "--quiet", "-B", branch)
    options = ("run", "--var", "HOST=example.org", "--secret", "TOKEN", "--allow-environment")
    held = repository.windlass(*options, other, variables={"TOKEN": "hunter2-and-more"})
    done = repository.windlass(*options, environment, variables={"TOKEN": "hunter2-and-more"})

    assert held.returncode == 1
    assert "deploy to" not in held.stdout
    assert said(done) == [
        f"deploy to {environment} on example.org with 16 characters, which are ***"
    ]


ALL_PASSED = """\
on: pull_request
jobs:
  lint: {runs-on: ubuntu-latest, steps: [{run: "exit ${{ vars.LINT }}"}]}
  test: {runs-on: ubuntu-latest, steps: [{run: "exit ${{ vars.TEST }}"}]}
  docs:
    if: vars.DOCS == 'yes'
    runs-on: ubuntu-latest
    steps: [{run: "exit 0"}]
  all-checks-passed:
    needs: [lint, test, docs]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')
        run: exit 1
      - run: echo "all passed, docs ${{ needs.docs.result }}"
"""


@pytest.mark.requirement("A28")
@pytest.mark.parametrize(
    ("lint", "test", "docs", "expected"),
    [
        (0, 0, "yes", ["all passed, docs success"]),
        (0, 0, "no", ["all passed, docs skipped"]),
        (1, 0, "yes", []),
        (0, 1, "no", []),
    ],
    ids=["all", "one-skipped", "lint-fails", "test-fails"],
)
def test_one_status_for_all_checks(
    repository: Repository, lint: int, test: int, docs: str, expected: list[str]
) -> None:
    """One job stands for all checks: green when none failed, red when one did."""
    repository.workflow(ALL_PASSED)
    repository.commit()
    variables = (f"LINT={lint}", f"TEST={test}", f"DOCS={docs}")
    done = repository.windlass(
        "run", "pull_request", *(word for it in variables for word in ("--var", it))
    )

    assert [text for text in said(done) if "all passed" in text] == expected
    assert done.returncode == (0 if expected else 1)
    mark = "✓" if expected else "✗"
    assert f"\n  {mark} all-checks-passed " in done.stdout


@pytest.mark.requirement("B01")
def test_a_gate_blocks_what_is_behind_it(repository: Repository) -> None:
    """A threshold that is missed fails the run; what needs the gate does not run."""
    repository.workflow(
        "on: push\njobs:\n"
        "  coverage:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: python3 -c 'raise SystemExit(${{ vars.COVERED }} < 85)'\n"
        "  publish:\n    needs: coverage\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo published\n"
    )
    repository.commit()
    missed = repository.windlass("run", "--var", "COVERED=84.9")
    reached = repository.windlass("run", "--var", "COVERED=85.0")

    assert (missed.returncode, "published" in said(missed)) == (1, False)
    assert (reached.returncode, said(reached)) == (0, ["published"])


@pytest.mark.requirement("M01")
def test_an_inventory_of_many_workflows(repository: Repository) -> None:
    """`plan --json` lists each of 66 workflows with its path, its name and why it runs or not."""
    for number in range(66):
        trigger = ("push", "pull_request", "schedule: [{cron: '1 2 * * *'}]")[number % 3]
        event = f"{{{trigger}}}" if ":" in trigger else trigger
        repository.workflow(f"name: Flow {number}\n" + ONE_STEP % event, f"{number:02}.yml")
    repository.commit()
    workflows = json.loads(repository.windlass("plan", "--json").stdout)["workflows"]

    assert [it["path"] for it in workflows] == [
        f".github/workflows/{number:02}.yml" for number in range(66)
    ]
    assert [it["name"] for it in workflows] == [f"Flow {number}" for number in range(66)]
    assert [it["verdict"] for it in workflows] == ["RUN", "SKIP", "SKIP"] * 22
    assert all(it["reason"] for it in workflows if it["verdict"] == "SKIP")
    assert repository.windlass("lint", "--no-shellcheck").stdout.startswith(
        "no problems found in 66 workflows"
    )


MEETING = """\
on: push
jobs:
  here:
    runs-on: ubuntu-latest
    steps: [{run: 'touch "$PLACE/here"; until test -e "$PLACE/there"; do sleep 0.05; done'}]
  there:
    runs-on: ubuntu-latest
    steps: [{run: 'touch "$PLACE/there"; until test -e "$PLACE/here"; do sleep 0.05; done'}]
"""


@pytest.mark.requirement("A23")
def test_jobs_run_at_the_same_time(repository: Repository) -> None:
    """Two jobs that wait for each other both end: neither waits for the end of the other."""
    repository.workflow(MEETING)
    repository.commit()
    done = repository.windlass("run", "--env", f"PLACE={repository.home}")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.requirement("A17")
def test_feedback_is_measured(repository: Repository) -> None:
    """History has the time of each run: without the heavy job the answer comes earlier."""
    repository.workflow(LIGHT_AND_HEAVY.replace("echo heavy", "sleep $LONGER"))
    repository.commit()
    repository.git("switch", "--quiet", "--create", "change")
    assert repository.windlass("run", "pull_request").returncode == 0
    (light,) = measured(repository)
    # However long the light one has taken here, the heavy one takes longer.
    seconds = light + 1
    repository.git("switch", "--quiet", "main")
    assert repository.windlass("run", "push", "--env", f"LONGER={seconds}").returncode == 0
    heavy, before = measured(repository)

    assert heavy >= seconds
    assert before == light > 0


def measured(repository: Repository) -> list[float]:
    """The seconds of each run as history has them, the latest first."""
    listed = map(json.loads, repository.windlass("runs", "--json").stdout.splitlines())
    return [run["finished"] - run["started"] for run in listed]


@pytest.mark.requirement("A26")
def test_permissions_are_checked(repository: Repository) -> None:
    """Scopes and their values are those of GitHub, and compat says what they are good for here."""
    asked = "permissions: {packages: write, security-events: write}\n"
    repository.workflow(asked + ONE_STEP % "push")
    repository.commit()
    assert repository.windlass("run").returncode == 0
    told = json.loads(repository.windlass("compat", "--json").stdout)
    (found,) = (it for it in told["features"] if it["id"] == "permissions")
    assert found["verdict"] == "differs"
    repository.workflow(asked.replace("packages: write", "packages: admin") + ONE_STEP % "push")
    done = repository.windlass("run")

    assert done.returncode == 1
    assert ".github/workflows/ci.yml:1:" in done.stderr
    assert "admin" in done.stderr
    assert "Unexpected value" in done.stderr


@pytest.mark.requirement("A31")
def test_workflows_are_added_one_by_one(repository: Repository) -> None:
    """Each new workflow is tried alone before it is committed, then all run together."""
    for number in range(1, 4):
        name = f"{number}.yml"
        repository.workflow(ONE_STEP % "push" + f"      - run: echo this is {name}\n", name)
        alone = repository.windlass("run", "-W", f".github/workflows/{name}")
        assert [text for text in said(alone) if "this is" in text] == [f"this is {name}"]
        repository.commit()
        together = said(repository.windlass("run"))
        expected = [f"this is {earlier}.yml" for earlier in range(1, number + 1)]
        assert [text for text in together if "this is" in text] == expected


SURROUNDED = """\
on: push
env: {STAGE: test}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          ls -A; cat file; ls -A "$HOME"; git status --short; git log --format=%s
          env | sed 's/=.*//' | sort
          echo "$CI $STAGE $LANG $GITHUB_SHA $GITHUB_REF $GITHUB_REPOSITORY"
"""


@pytest.mark.requirement("T02")
def test_surroundings_make_no_difference(repository: Repository, tmp_path: Path) -> None:
    """A commit gives the same results on a laptop full of things as in a bare clone."""
    repository.workflow(SURROUNDED)
    repository.write("file", "content\n")
    repository.write(".gitignore", "ignored\n")
    repository.commit()
    repository.git("remote", "add", "origin", "https://github.com/acme/widgets.git")
    repository.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone", tmp_path / "other")
    clone.git("remote", "set-url", "origin", "https://github.com/acme/widgets.git")
    clone.home.mkdir()
    clone.heed_host_notice()
    repository.write("ignored", "by Git\n")
    repository.write("unknown", "not committed\n")
    (repository.home / ".bashrc").write_text("STAGE=laptop\n")
    noise = {"STAGE": "laptop", "CI": "false", "LANG": "tr_TR.UTF-8", "BASH_ENV": "/dev/null"}

    told, *laptop = said(repository.windlass("run", "--committed", variables=noise))
    _, *bare = said(clone.windlass("run"))

    assert told.endswith("committed content only")
    assert laptop == bare
    assert "content" in bare
    assert "unknown" not in bare
