"""The table: what GitHub does with a feature, and what Windlass does with it now.

`docs/reference/compat.md` is generated from it.
"""

from __future__ import annotations

from functools import cache

from windlass.lang.compat import detectors
from windlass.lang.compat.feature import Feature, Verdict


@cache
def all_features() -> tuple[Feature, ...]:
    """Return the whole table, the refused features first."""
    return (*refused_features(), *_differing_features(), *_honoured_features())


@cache
def refused_features() -> tuple[Feature, ...]:
    """Return what stops a run before its first job."""
    return (
        Feature(
            id="snapshot",
            title="Custom images (`snapshot`)",
            verdict=Verdict.REFUSED,
            github="Saves the runner's disk as an image after the job.",
            windlass="There is no disk image of this machine to save.",
            detect_in_job=detectors.snapshots,
        ),
        Feature(
            id="foreign-runner",
            title="Windows and macOS runners",
            verdict=Verdict.REFUSED,
            github="Runs the job on a machine with that system.",
            windlass="Jobs run on Linux only.",
            detect_in_job=detectors.foreign_runners,
        ),
    )


def _differing_features() -> tuple[Feature, ...]:
    return (
        *_differing_places(),
        *_differing_actions(),
        *_differing_containers(),
        *_differing_steps(),
        *_differing_runs(),
        *_differing_tokens(),
    )


def _differing_places() -> tuple[Feature, ...]:
    """Where a job runs."""
    return (
        Feature(
            id="job-container",
            title="Job containers (`container`)",
            verdict=Verdict.DIFFERS,
            github="Runs the job's steps in a container, each by `docker exec`.",
            windlass=(
                "Does the same with the machine's Docker or Podman, through one shell that stays "
                "open, and in images without a shell too, where GitHub's runner needs `tail`. An "
                "image that is on the machine is not pulled again, the daemon has to run on this "
                "machine, and its socket is not mounted."
            ),
            detect_in_job=detectors.containers,
        ),
        Feature(
            id="service-container",
            title="Service containers (`services`)",
            verdict=Verdict.DIFFERS,
            github="Starts the services before the first step and waits for their health.",
            windlass=(
                "Does the same with the machine's Docker or Podman. An image that is on the "
                "machine is not pulled again, ports are published on 127.0.0.1 unless they name an "
                "address, named volumes are the job's own and removed with it, and a service that "
                "cannot be started ends the job without any step."
            ),
            detect_in_job=detectors.service_containers,
        ),
        Feature(
            id="runner-label",
            title="Linux runners (`ubuntu-*`, `self-hosted`, own labels)",
            verdict=Verdict.DIFFERS,
            github="Starts a machine with the image or the runner that the labels name.",
            windlass=(
                "Runs the job in a container of a small Debian, or where there is no Docker in a "
                "sandbox, which has the programs of this machine and nothing of the user's; on "
                "this machine itself only where the user says so. Much of what GitHub's images "
                "have is not installed."
            ),
            detect_in_job=detectors.linux_runners,
        ),
    )


def _differing_actions() -> tuple[Feature, ...]:
    """What comes from a repository: its files, actions, workflows."""
    return (
        Feature(
            id="checkout",
            title="actions/checkout",
            verdict=Verdict.DIFFERS,
            github="Fetches the event's commit from the server.",
            windlass=(
                "Gives the commit of the local repository, with uncommitted changes unless "
                "`--committed` is given, and the whole history whatever `fetch-depth` says; "
                "nothing is fetched: submodules and files of Git LFS have to be in that "
                "repository. A runner of a server gives the event's commit and nothing else."
            ),
            detect_in_job=detectors.checkouts,
        ),
        Feature(
            id="other-repository",
            title="`repository` of actions/checkout",
            verdict=Verdict.DIFFERS,
            github="Fetches another repository, if the token may read it.",
            windlass=(
                "Fetches it by Git, with the user's own access and the `token` or `ssh-key` of the "
                "step, and keeps it. Any `fetch-depth` but 1 gives the whole history; the step "
                "fails where submodules or files of Git LFS are asked for and it has some."
            ),
            detect_in_job=detectors.other_repositories,
        ),
        Feature(
            id="remote-action",
            title="Actions of other repositories (`owner/name[/path]@ref`)",
            verdict=Verdict.DIFFERS,
            github="Downloads the action's archive at its ref and runs it.",
            windlass=(
                "Fetches the commit by Git with the user's own access and keeps it; "
                "`windlass.lock` says which commit a ref is, else its remote is asked in each run, "
                "and remembered for when it cannot be reached. Symbolic links that lead out of the "
                "repository are left out; `export-ignore` is not looked at."
            ),
            detect_in_job=detectors.remote_actions,
        ),
        Feature(
            id="remote-workflow",
            title="Reusable workflows of other repositories",
            verdict=Verdict.DIFFERS,
            github="Reads the workflow from the other repository at its ref, if its owner lets it.",
            windlass="The same by Git, with the user's own access.",
            detect_in_job=detectors.remote_workflows,
        ),
    )


def _differing_containers() -> tuple[Feature, ...]:
    """Steps that use containers."""
    return (
        Feature(
            id="container-action",
            title="Actions in containers (`using: docker`, `docker://image`)",
            verdict=Verdict.DIFFERS,
            github="Pulls or builds the image first, and lets the container use the daemon.",
            windlass=(
                "Needs Docker or Podman on this machine, pulls or builds an image when its step "
                "begins, once for the same content, and keeps the daemon's socket to itself."
            ),
            detect_in_job=detectors.image_actions,
        ),
        Feature(
            id="docker-in-job",
            title="Docker in a job (`docker build`, `docker run`, compose, buildx)",
            verdict=Verdict.DIFFERS,
            github="Has a daemon on the job's machine, shared by the containers of the job.",
            windlass=(
                "Gives a job in a container a daemon of its own, where its scripts or actions are "
                "seen to call Docker or the user says so; it begins without images, and what a "
                "privileged container may do there is less. On the host it is the machine's. In "
                "the sandbox such a job is refused."
            ),
            detect_in_job=detectors.docker_calls,
        ),
    )


def _differing_steps() -> tuple[Feature, ...]:
    """What a job asks of the machine and of people."""
    return (
        Feature(
            id="foreign-shell",
            title="Shells `pwsh`, `powershell` and `cmd`",
            verdict=Verdict.DIFFERS,
            github="Hosted runners have PowerShell; Windows runners have cmd.",
            windlass="The step fails if this machine does not have the program.",
            detect_in_job=detectors.foreign_shells,
        ),
        Feature(
            id="environment",
            title="Deployment environments (`environment`)",
            verdict=Verdict.DIFFERS,
            github="Waits for the environment's protection rules and records a deployment.",
            windlass=(
                "A local run holds the job unless `--allow-environment NAME` is given. A server "
                "asks nobody: the job starts when its turn comes, with the repository's secrets. "
                "Nothing is recorded."
            ),
            detect_in_job=detectors.environments,
        ),
    )


def _differing_runs() -> tuple[Feature, ...]:
    """When a workflow runs, and beside which others."""
    return (
        Feature(
            id="concurrency",
            title="Concurrency groups (`concurrency`)",
            verdict=Verdict.DIFFERS,
            github="Lets one run or job of a group go on and cancels or queues the others.",
            windlass=(
                "The same, among the runs of one checkout on one machine; on a server among all "
                "runs of a repository, as on GitHub."
            ),
            detect=detectors.concurrency_groups,
        ),
        Feature(
            id="schedule",
            title="Schedules (`on.schedule`)",
            verdict=Verdict.DIFFERS,
            github="Starts a run at these times.",
            windlass=(
                "A server does; else nothing starts by itself, and `windlass run schedule` runs it "
                "once."
            ),
            detect=detectors.schedules,
        ),
        Feature(
            id="workflow-run",
            title="Workflows that follow others (`on.workflow_run`)",
            verdict=Verdict.DIFFERS,
            github="Starts a run when one of the workflows that it names does, or has ended.",
            windlass=(
                "A server does; else nothing starts by itself, and `windlass run workflow_run` "
                "runs it once."
            ),
            detect=detectors.followed_workflows,
        ),
    )


def _differing_tokens() -> tuple[Feature, ...]:
    """What a job is trusted with."""
    return (
        Feature(
            id="permissions",
            title="Permissions of the job's token (`permissions`)",
            verdict=Verdict.DIFFERS,
            github="Gives the job a token with these permissions.",
            windlass=(
                "Checks the values; a token of GitHub's that you give has the rights that it has, "
                "and Windlass's own may read."
            ),
            detect=detectors.permission_blocks,
        ),
        Feature(
            id="identity-token",
            title="OpenID Connect (`id-token: write`)",
            verdict=Verdict.DIFFERS,
            github="Lets the job ask for an identity token.",
            windlass=(
                "Issues tokens with the same claims under an issuer of its own, "
                "`http://127.0.0.1:PORT/oidc`, which nobody outside of this machine trusts."
            ),
            detect=detectors.identity_tokens,
        ),
        Feature(
            id="job-token",
            title="`github.token` and `secrets.GITHUB_TOKEN`",
            verdict=Verdict.DIFFERS,
            github="Holds a token for the job that ends with it.",
            windlass=(
                "Holds a token of Windlass's own for its part of the REST API, which reads what is "
                "known of the repository, the event and the run; GitHub itself does not take it. "
                "With `--secret GITHUB_TOKEN` or `--github-token`, the token is one of GitHub's."
            ),
            detect=detectors.job_tokens,
        ),
    )


_HONOURED = (
    ("expressions", "Expressions, contexts and functions", "Evaluates `${{ }}` and `if`."),
    ("needs", "`needs` and job conditions", "Starts a job when its own needs have ended."),
    ("matrix", "`strategy`", "Expands the matrix; obeys `fail-fast` and `max-parallel`."),
    ("filters", "Branch, tag and path filters", "Decides from them whether a workflow runs."),
    ("inputs", "Inputs of `workflow_dispatch` and `workflow_call`", "Checks and types them."),
    ("local-workflow", "Reusable workflows of the same repository", "Runs their jobs as a part."),
    ("local-action", "Actions of the repository (`./path`, `$/path`)", "Runs steps or Node.js."),
    ("background-step", "Background steps", "Runs up to ten steps beside the following ones."),
    ("run-step", "`run` steps and `shell`", "Writes the script to a file and runs the shell."),
    ("command-file", "`GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_PATH`", "Reads them after each step."),
    ("problem-matcher", "Problem matchers (`::add-matcher::`)", "Makes annotations of lines."),
    ("cache", "Caches (`actions/cache`, `cache:` of `setup-*`)", "Keeps them by key and branch."),
    ("time-out", "`timeout-minutes`", "Ends the step or the job; fractions are cut off."),
    ("continue-on-error", "`continue-on-error`", "Goes on; keeps the outcome."),
)


def _honoured_features() -> tuple[Feature, ...]:
    return tuple(
        Feature(
            id=identifier,
            title=title,
            verdict=Verdict.HONOURED,
            github=behaviour,
            windlass="The same.",
        )
        for identifier, title, behaviour in _HONOURED
    )
