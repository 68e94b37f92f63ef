"""GitHub's REST API for what is known here, asked by npm's @octokit/rest.

Git itself says what the answers must hold; that they have GitHub's shapes says its own description.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from tests.integration.services.calling import Caller, send
from tests.integration.services.rest import (
    RestClient,
    install_client,
    make_repository,
)

from windlass.model.status import Result
from windlass.protocol import events
from windlass.protocol.event_lines import write_event
from windlass.stores.run_folders import RunFolders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.git.conftest import Checkout
    from tests.integration.services.serving import Place

    from windlass.services.job_services import JobServices

RUN = 1790000000000000


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_repository(tmp_path)


@pytest.fixture
def client(checkout: Checkout, served: Place) -> RestClient:
    return make_client(served, checkout)


def make_client(served: Place, checkout: Checkout, **facts: Any) -> RestClient:
    """A client with the token of a job whose event is that of `main`."""
    known = {"sha": checkout.git("rev-parse", "main"), "workflow": "CI", "actor": "mona"}
    known |= {"ref_name": "main", "run_number": "3", "triggering_actor": "mona", **facts}
    job = served.begin("build", run=str(RUN), **known)
    return RestClient(job.api_addresses["api_url"], job.api_token, install_client())


def pull_request(checkout: Checkout) -> dict[str, Any]:
    """An event about `feature/x`, with no more than what names its two ends."""
    ends = {"base": "main", "head": "feature/x"}
    sides = {key: {"ref": it, "sha": checkout.git("rev-parse", it)} for key, it in ends.items()}
    return {
        "repository": {"default_branch": "main"},
        "pull_request": {"number": 7, "title": "Move", "labels": [{"name": "bug"}], **sides},
    }


@pytest.mark.requirement("A11")
def test_repository_commits_and_refs(client: RestClient, checkout: Checkout) -> None:
    """What Git knows is answered as Git knows it, in GitHub's shapes."""
    log = checkout.git("log", "--format=%H", "main").split()
    replies = client.call(
        ("repos", "get", {}),
        ("repos", "listCommits", {"per_page": 2}),
        ("repos", "listCommits", {"per_page": 2, "page": 2, "sha": "main"}),
        ("repos", "listCommits", {"path": "src/a.txt"}),
        ("repos", "getCommit", {"ref": "feature/x"}),
        ("repos", "getCommit", {"ref": log[-1]}),
        ("repos", "listBranches", {}),
        ("repos", "getBranch", {"branch": "feature/x"}),
        ("repos", "listTags", {}),
        ("git", "getRef", {"ref": "tags/v2"}),
        ("git", "listMatchingRefs", {"ref": "heads/f"}),
        ("git", "getCommit", {"commit_sha": log[0]}),
        ("git", "getTag", {"tag_sha": checkout.git("rev-parse", "v2")}),
        ("rateLimit", "get", {}),
    )
    assert [it.problems for it in replies] == [[]] * len(replies)
    assert {it.status for it in replies} == {200}
    repository, first, second, of_path, moved, root, branches, branch, tags, *rest = replies
    assert repository.data["full_name"] == "octo-org/octo-repo"
    assert repository.data["default_branch"] == "main"
    assert [it["sha"] for it in first.data + second.data] == log
    assert 'rel="next"' in first.link
    assert 'rel="next"' not in second.link
    assert [it["commit"]["message"] for it in of_path.data] == ["Second", "First\n\nWith a body."]
    assert moved.data["author"]["login"] == "mona"
    assert moved.data["commit"]["author"]["date"] == "2026-01-02T03:04:05Z"
    files = [
        (it["filename"], it["status"], it.get("previous_filename")) for it in moved.data["files"]
    ]
    assert files == [("new.txt", "added", None), ("src/c.txt", "renamed", "src/a.txt")]
    assert len(root.data["files"]) == 4
    assert root.data["parents"] == []
    assert [it["name"] for it in branches.data] == ["feature/x", "main"]
    assert branch.data["commit"]["sha"] == checkout.git("rev-parse", "feature/x")
    assert [it["name"] for it in tags.data] == ["v2", "v1"]
    assert tags.data[0]["commit"]["sha"] == checkout.git("rev-parse", "v2^{commit}")
    ref, matching, commit, tag, _ = rest
    assert ref.data["object"]["type"] == "tag"
    assert [it["ref"] for it in matching.data] == ["refs/heads/feature/x"]
    assert commit.data["tree"]["sha"] == checkout.git("rev-parse", "main^{tree}")
    assert (tag.data["message"], tag.data["tagger"]["date"]) == (
        "Release two",
        "2026-01-02T03:04:05Z",
    )


def test_contents(client: RestClient, checkout: Checkout) -> None:
    """Files, folders, links and blobs are those of the commit that is asked for."""
    blob = checkout.git("rev-parse", "main:src/a.txt")
    replies = client.call(
        ("repos", "getContent", {"path": "src/a.txt"}),
        ("repos", "getContent", {"path": "src/a.txt", "ref": "v1"}),
        ("repos", "getContent", {"path": ""}),
        ("repos", "getContent", {"path": "src"}),
        ("repos", "getContent", {"path": "src", "mediaType": {"format": "object"}}),
        ("repos", "getContent", {"path": "src/a.txt", "mediaType": {"format": "raw"}}),
        ("repos", "getContent", {"path": "to-a"}),
        ("repos", "getContent", {"path": "nowhere"}),
        ("repos", "getReadme", {}),
        ("git", "getBlob", {"file_sha": blob}),
        ("git", "getTree", {"tree_sha": "main", "recursive": "1"}),
        ("git", "getTree", {"tree_sha": checkout.git("rev-parse", "v1^{tree}")}),
    )
    assert [it.problems for it in replies] == [[]] * len(replies)
    new, old, top, folder, as_object, raw, link, foreign, readme, content, tree, flat = replies
    assert base64.b64decode(new.data["content"]) == b"one\n2\nthree\n"
    assert new.data["sha"] == blob
    assert base64.b64decode(old.data["content"]) == b"one\ntwo\nthree\n"
    kinds = {it["name"]: it["type"] for it in top.data}
    assert kinds == {"README.md": "file", "nowhere": "symlink", "src": "dir", "to-a": "symlink"}
    assert [it["path"] for it in folder.data] == ["src/a.txt"]
    assert as_object.data["entries"] == folder.data
    assert raw.data == "one\n2\nthree\n"
    assert (link.data["type"], link.data["content"]) == ("file", new.data["content"])
    assert (foreign.data["type"], foreign.data["target"]) == ("symlink", "/etc/passwd")
    assert base64.b64decode(readme.data["content"]) == b"# Read me\n"
    assert base64.b64decode(content.data["content"]) == b"one\n2\nthree\n"
    listed = checkout.git("ls-tree", "-r", "-t", "--name-only", "main").split("\n")
    assert [it["path"] for it in tree.data["tree"]] == listed
    assert [it["path"] for it in flat.data["tree"]] == ["README.md", "nowhere", "src", "to-a"]


def test_comparison(client: RestClient, checkout: Checkout) -> None:
    """Two commits compare as GitHub compares them: from where they parted."""
    replies = client.call(
        ("repos", "compareCommitsWithBasehead", {"basehead": "main...feature/x"}),
        ("repos", "compareCommitsWithBasehead", {"basehead": "v1...main"}),
        ("repos", "compareCommitsWithBasehead", {"basehead": "main...v1"}),
        ("repos", "compareCommitsWithBasehead", {"basehead": "main...main"}),
        (
            "repos",
            "compareCommitsWithBasehead",
            {"basehead": "main...feature/x", "mediaType": {"format": "diff"}},
        ),
    )
    assert [it.problems for it in replies] == [[]] * len(replies)
    apart, ahead, behind, same, diff = replies
    facts = [
        (it.data["status"], it.data["ahead_by"], it.data["behind_by"], len(it.data["files"]))
        for it in (apart, ahead, behind, same)
    ]
    assert facts == [
        ("diverged", 1, 1, 2),
        ("ahead", 2, 0, 1),
        ("behind", 0, 2, 0),
        ("identical", 0, 0, 0),
    ]
    assert apart.data["merge_base_commit"]["sha"] == checkout.git("merge-base", "main", "feature/x")
    assert [it["commit"]["message"] for it in ahead.data["commits"]] == ["Second", "Third"]
    change = ahead.data["files"][0]
    assert (change["filename"], change["additions"], change["deletions"]) == ("src/a.txt", 1, 1)
    assert change["patch"] == "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three"
    assert diff.data.strip() == checkout.git("diff", "-M", "main...feature/x")


def test_pull_request_of_the_event(served: Place, checkout: Checkout) -> None:
    """The event's pull request is whole, with its files and commits; others are not known."""
    client = make_client(served, checkout, event=pull_request(checkout))
    own = {"pull_number": 7}
    replies = client.call(
        ("pulls", "get", own),
        ("pulls", "listFiles", own),
        ("pulls", "listCommits", own),
        ("pulls", "list", {"head": "octo-org:feature/x"}),
        ("pulls", "list", {"head": "octo-org:feature/x", "state": "closed"}),
        ("issues", "get", {"issue_number": 7}),
        ("issues", "listLabelsOnIssue", {"issue_number": 7}),
        (
            "repos",
            "listPullRequestsAssociatedWithCommit",
            {"commit_sha": checkout.git("rev-parse", "feature/x")},
        ),
        ("pulls", "get", {"pull_number": 8}),
        ("pulls", "list", {}),
    )
    assert [it.problems for it in replies] == [[]] * len(replies)
    pull, files, commits, listed, closed, issue, labels, of_commit, other, every = replies
    numbers = [pull.data[key] for key in ("commits", "additions", "deletions", "changed_files")]
    assert numbers == [1, 1, 0, 2]
    assert [it["filename"] for it in files.data] == ["new.txt", "src/c.txt"]
    assert [it["commit"]["message"] for it in commits.data] == ["Move"]
    assert [it["number"] for it in listed.data + of_commit.data] == [7, 7]
    assert closed.data == []
    assert issue.data["pull_request"]["url"] == pull.data["url"]
    assert [it["name"] for it in labels.data] == ["bug"]
    assert (other.status, every.status) == (403, 403)


def test_run_and_jobs(served: Place, checkout: Checkout, client: RestClient) -> None:
    """The jobs of the run are as they stand at this moment."""
    folder = RunFolders(checkout.path / ".windlass").attempt(str(RUN), 1)
    folder.path.mkdir(parents=True)
    told = [
        events.RunStarted(run=str(RUN), workflow="CI", path="ci.yml", github_event="push", sha="0"),
        events.JobStarted(job="lint", name="lint"),
        events.StepStarted(job="lint", step="1", name="One"),
        events.StepStarted(job="lint", step="1.1", name="Within", parent="1"),
        events.StepFinished(
            job="lint",
            step="1",
            name="One",
            outcome=Result.FAILURE,
            conclusion=Result.SUCCESS,
            exit_code=1,
            seconds=1.0,
        ),
        events.JobFinished(job="lint", name="lint", result=Result.FAILURE, seconds=1.0),
        events.JobSkipped(job="deploy", name="deploy", reason="so"),
        events.JobStarted(job="build", name="build"),
    ]
    for number, event in enumerate(told):
        folder.append_event(write_event(event, 1790000000.0 + number))
    folder.release()
    run, jobs, other = client.call(
        ("actions", "getWorkflowRun", {"run_id": RUN}),
        ("actions", "listJobsForWorkflowRun", {"run_id": RUN}),
        ("actions", "listJobsForWorkflowRun", {"run_id": 1}),
    )
    assert (run.problems, jobs.problems, other.status) == ([], [], 403)
    facts = [run.data[key] for key in ("id", "status", "conclusion", "run_number", "event")]
    assert facts == [RUN, "in_progress", None, 3, "push"]
    assert [(it["name"], it["status"], it["conclusion"]) for it in jobs.data["jobs"]] == [
        ("lint", "completed", "failure"),
        ("deploy", "completed", "skipped"),
        ("build", "in_progress", None),
    ]
    assert [(it["name"], it["conclusion"]) for it in jobs.data["jobs"][0]["steps"]] == [
        ("One", "success")
    ]
    (job,) = client.call(
        ("actions", "getJobForWorkflowRun", {"job_id": jobs.data["jobs"][0]["id"]})
    )
    assert (job.problems, job.data) == ([], jobs.data["jobs"][0])


def test_artifacts_of_the_run(served: Place, checkout: Checkout, client: RestClient) -> None:
    """What a job of the run has kept is listed and fetched; another run's is not there."""
    caller = Caller(served.begin("lint", run=str(RUN)))
    assert send(caller.create("mine"), "PUT", b"content", x_ms_blob_type="BlockBlob")[0] == 201
    assert caller.finalize(b"content", "mine")[0] == 200
    own = {"run_id": RUN}
    listed, by_run, none, foreign = client.call(
        ("actions", "listArtifactsForRepo", {}),
        ("actions", "listWorkflowRunArtifacts", own),
        ("actions", "listArtifactsForRepo", {"name": "other"}),
        ("actions", "listWorkflowRunArtifacts", {"run_id": 1}),
    )
    assert [it.problems for it in (listed, by_run, none)] == [[]] * 3
    (artifact,) = listed.data["artifacts"]
    assert by_run.data == listed.data
    assert (none.data["total_count"], foreign.status) == (0, 403)
    digest = hashlib.sha256(b"content").hexdigest()
    facts = [artifact[key] for key in ("name", "size_in_bytes", "digest")]
    assert facts == ["mine", 7, f"sha256:{digest}"]
    wanted = {"artifact_id": artifact["id"]}
    one, content, missing = client.call(
        ("actions", "getArtifact", wanted),
        ("actions", "downloadArtifact", {**wanted, "archive_format": "zip"}),
        ("actions", "getArtifact", {"artifact_id": 1}),
    )
    assert (one.problems, one.data, content.data) == ([], artifact, "content")
    assert missing.status == 404


REFUSED = [
    pytest.param("issues", "createComment", {"issue_number": 7, "body": "x"}, 403, id="a write"),
    pytest.param("repos", "getLatestRelease", {}, 403, id="what only GitHub knows"),
    pytest.param("repos", "get", {"owner": "a", "repo": "b"}, 403, id="another repository"),
    pytest.param("users", "getAuthenticated", {}, 403, id="no repository at all"),
    pytest.param("repos", "getCombinedStatusForRef", {"ref": "main"}, 403, id="statuses"),
    pytest.param("repos", "getContent", {"path": "nope"}, 404, id="a file that is not there"),
    pytest.param("repos", "getContent", {"path": "../secret"}, 404, id="a path that leads out"),
    pytest.param("repos", "getCommit", {"ref": "nope"}, 404, id="a commit that is not there"),
    pytest.param("repos", "getCommit", {"ref": "main@{1}"}, 404, id="a question to the reflog"),
    pytest.param("repos", "getCommit", {"ref": "--output=x"}, 404, id="an option of git's"),
    pytest.param("repos", "listCommits", {"page": "x"}, 422, id="a page that is no number"),
    pytest.param("git", "getBlob", {"file_sha": "main"}, 404, id="a blob by another name"),
]


def test_refusals(client: RestClient) -> None:
    """What is not answered says so in GitHub's shape, and names a token where that would help."""
    cases = [case.values for case in REFUSED]
    replies = client.call(*[(group, name, given) for group, name, given, _ in cases])
    assert [it.status for it in replies] == [case[3] for case in cases]
    for reply in replies:
        assert set(reply.data) == {"message", "documentation_url", "status"}
        assert ("--secret GITHUB_TOKEN" in reply.message) == (reply.status == 403)


def test_tokens(served: Place, checkout: Checkout) -> None:
    """Only the token of a job that runs is taken, and it is good for nothing else."""
    job = served.begin("build", run=str(RUN), sha=checkout.git("rev-parse", "main"))
    assert ask(job, "") == (401, "Bad credentials. The request has no token.")
    for token in ("ghs_windlass0000", "ghp_0123456789", job.token):
        status, message = ask(job, f"Bearer {token}")
        assert (status, message.startswith("Bad credentials. The ")) == (401, True)
    password = base64.b64encode(f"x-access-token:{job.api_token}".encode()).decode()
    for header in (f"token {job.api_token}", f"bearer {job.api_token}", f"Basic {password}"):
        assert ask(job, header) == (200, "")
    assert ask(job, "Basic !")[0] == 401
    assert Caller(job).call("ListArtifacts", token=job.api_token)[0] == 401
    job.close()
    ended = "Bad credentials. The job of this token has ended."
    assert ask(job, f"Bearer {job.api_token}") == (401, ended)


def ask(job: JobServices, authorization: str) -> tuple[int, str]:
    """Ask for the repository; return the status and the message of an error."""
    address = f"{job.api_addresses['api_url']}/repos/octo-org/octo-repo"
    status, _, content = send(address, Authorization=authorization)
    return status, json.loads(content).get("message", "")


def test_pages_of_a_name_in_any_script(served: Place, checkout: Checkout) -> None:
    """The address of the next page is one that a client can follow as it is."""
    checkout.git("branch", "größe/日本", "main")
    job = served.begin("build", run=str(RUN), sha=checkout.git("rev-parse", "main"))
    repository = f"{job.api_addresses['api_url']}/repos/octo-org/octo-repo"
    address = f"{repository}/compare/v1...{quote('größe/日本', safe='')}?per_page=1"
    for message, following in (("Second", True), ("Third", False)):
        status, headers, content = send(address, Authorization=f"token {job.api_token}")
        (commit,) = json.loads(content)["commits"]
        assert (status, commit["commit"]["message"]) == (200, message)
        match = re.search('<([^>]*)>; rel="next"', headers.get("Link", ""))
        assert (match is not None) == following
        address = match[1] if match else ""


def test_many_files_and_names(served: Place, checkout: Checkout) -> None:
    """A commit names 300 files unless a client asks for fewer; names need not be UTF-8."""
    for number in range(305):
        checkout.write(f"many/{number:03d}")
    (checkout.path / os.fsdecode(b"many/\xff")).write_text("")
    sha = checkout.commit("Many")
    facts = {"sha": sha, "repository": "group/sub/Name", "event": {"odd": "\ud800"}}
    job = served.begin("build", run=str(RUN), **facts)
    address = f"{job.api_addresses['api_url']}/repos/group/sub/name/commits/{sha}"
    for query, count in (("", 300), ("?page=2", 6), ("?per_page=7", 7), ("?per_page=200", 100)):
        _, headers, content = send(address + query, Authorization=f"token {job.api_token}")
        assert len(json.loads(content)["files"]) == count
        assert ('rel="next"' in headers.get("Link", "")) == (query != "?page=2")


HOSTILE = [
    pytest.param("contents/%ff%fe", 404, id="bytes that are no UTF-8"),
    pytest.param("contents/a%00b", 404, id="a zero byte"),
    pytest.param("contents/%2e%2e/%2e%2e/etc/passwd", 404, id="an encoded way out"),
    pytest.param("contents/%3A(exclude)src", 404, id="magic of git's"),
    pytest.param("contents/README.md?ref=main%0Av1", 404, id="a ref of two lines"),
    pytest.param("contents/README.md?ref=%ff", 404, id="a ref that is no UTF-8"),
    pytest.param("commits?path=../..", 200, id="a path filter that leads out"),
    pytest.param("commits?path=:(exclude)x", 200, id="a path filter with magic"),
    pytest.param("commits?author=--all&since=nonsense", 200, id="filters that mean nothing"),
    pytest.param("commits?author=a%00b", 422, id="an author with a zero byte"),
    pytest.param("commits?since=%00", 422, id="a date that is a zero byte"),
    pytest.param(f"commits?author={'a' * 5000}", 422, id="an author that is too long for git"),
    pytest.param("commits?per_page=100&page=999999999", 200, id="a page far behind the end"),
    pytest.param("commits/main%5E%7Btree%7D", 404, id="an expression of git's"),
    pytest.param("git/trees/-h", 404, id="an option of git's"),
    pytest.param("git/matching-refs/..", 200, id="refs that cannot be"),
    pytest.param("compare/main...", 403, id="half a comparison"),
    pytest.param("../../etc", 403, id="a way out of the API"),
]


@pytest.mark.parametrize(("path", "status"), HOSTILE)
def test_hostile_paths(served: Place, checkout: Checkout, path: str, status: int) -> None:
    """Whatever is asked, the answer is GitHub's kind of JSON and Git was asked for nothing else."""
    before = checkout.fingerprint()
    job = served.begin("build", run=str(RUN), sha=checkout.git("rev-parse", "main"))
    address = f"{job.api_addresses['api_url']}/repos/octo-org/octo-repo/{path}"
    answered, _, content = send(address, Authorization=f"Bearer {job.api_token}")
    assert answered == status, content
    assert isinstance(json.loads(content), dict if status >= 400 else list)
    assert checkout.fingerprint() == before


TOOLKIT = """
import { createRequire } from "node:module";
const { getOctokit, context } = createRequire(import.meta.url)("@actions/github");
const octokit = getOctokit(process.env.GITHUB_TOKEN);
const { data } = await octokit.rest.repos.getContent({ ...context.repo, path: "README.md" });
const few = { ...context.repo, per_page: 1 };
const all = await octokit.paginate(octokit.rest.repos.listCommits, few);
const said = await octokit.graphql("{ viewer { login } }").catch((error) => error.message);
console.log(JSON.stringify([data.name, all.length, said]));
"""


def test_toolkit(client: RestClient) -> None:
    """`@actions/github` finds the API by its variable, pages through lists and hears of GraphQL."""
    name, commits, said = client.run(
        TOOLKIT,
        GITHUB_API_URL=client.api,
        GITHUB_TOKEN=client.token,
        GITHUB_REPOSITORY="octo-org/octo-repo",
    )
    assert (name, commits) == ("README.md", 3)
    assert "Windlass does not answer GraphQL" in said
