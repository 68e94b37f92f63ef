"""`actions/checkout` of another repository, from real remotes."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.integration.jobs.conftest import git, make_executor
from tests.sandboxes import need_sandbox

from windlass.jobs.actions.published import PublishedActions
from windlass.jobs.executors.sandbox import SandboxExecutor
from windlass.jobs.executors.sandbox_view import View
from windlass.model.action_sources import ActionSources
from windlass.model.status import Result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench
    from tests.remotes import Remotes

SHELL = "/bin/sh"
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nsize 3\n"
)


@pytest.fixture
def remotes(remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remotes:
    """A repository of others, with two commits, a tag on the first and a branch of its own."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    remotes.publish("acme/lib", {"a.txt": "old\n", "deep/b.txt": "b\n"})
    remotes.publish("acme/lib", {"c.txt": "side\n"}, tag="beside", branch="side")
    remotes.git("checkout", "-q", "main", at=tmp_path / "work/acme/lib")
    remotes.publish("acme/lib", {"a.txt": "new\n"}, tag="v2")
    return remotes


@pytest.fixture
def bench(bench: Bench, remotes: Remotes) -> Bench:
    """The bench, with others below the remotes."""
    bench.keep = True
    provide(bench, remotes.url)
    return bench


def provide(bench: Bench, *urls: str, offline: bool = False) -> None:
    sources = ActionSources(urls=urls, offline=offline)
    published = PublishedActions(sources, bench.repository.server_url)
    bench.published = lambda: published


def check_out(bench: Bench, inputs: str = "", command: str = "true") -> Result:
    """Run a job that checks the other repository out and then a command."""
    return bench.run(
        "- uses: actions/checkout@v4\n  id: other\n"
        f"  with: {{repository: acme/lib{inputs and ', '}{inputs}}}\n- run: {command}"
    ).result


def shown(bench: Bench) -> list[str]:
    """What the command has printed."""
    return bench.output().splitlines()[1:]


@pytest.mark.parametrize(
    ("inputs", "command", "output"),
    [
        pytest.param("", "cat a.txt deep/b.txt", ["new", "b"], id="default-branch"),
        pytest.param("", "git rev-parse --abbrev-ref HEAD", ["main"], id="on-its-branch"),
        pytest.param("", "git status --short --branch", ["## main...origin/main"], id="clean"),
        pytest.param("", "git rev-list --count --all", ["1"], id="one-commit"),
        pytest.param("", "git rev-parse --is-shallow-repository", ["true"], id="shallow"),
        pytest.param("", "git tag", [], id="no-tags"),
        pytest.param("", "git fsck 2>&1 || echo bad", [], id="whole"),
        pytest.param("", "git remote get-url origin", ["https://github.com/acme/lib"], id="origin"),
        pytest.param(
            "", "git config --local --get-regexp 'http|cred|ssh' || true", [], id="no-credentials"
        ),
        pytest.param("ref: side", "cat c.txt", ["side"], id="branch"),
        pytest.param("ref: refs/heads/side", "cat c.txt", ["side"], id="full-ref"),
        pytest.param("ref: v1", "cat a.txt; git tag", ["old", "v1"], id="tag"),
        pytest.param("ref: refs/tags/v1", "git branch --show-current", [], id="detached"),
        pytest.param("path: sub/lib", "cat sub/lib/a.txt; ls", ["new", "sub"], id="path"),
        pytest.param("fetch-depth: 0", "git rev-list --count HEAD", ["2"], id="all-history"),
        pytest.param("fetch-depth: 0", "git tag", ["beside", "v1", "v2"], id="all-tags"),
        pytest.param("fetch-depth: 0", "git log -1 --format=%s origin/side", ["Change"], id="all"),
        pytest.param(
            "fetch-depth: 0", "git rev-parse --is-shallow-repository", ["false"], id="not-shallow"
        ),
        pytest.param("fetch-depth: all", "git rev-list --count HEAD", ["2"], id="no-number"),
        pytest.param("fetch-depth: 2", "git rev-list --count HEAD", ["2"], id="two-commits"),
        pytest.param("fetch-tags: true", "git describe", ["v2"], id="tags"),
        pytest.param("filter: 'blob:none'", "cat a.txt", ["new"], id="filter"),
        pytest.param("sparse-checkout: deep", "ls; ls deep", ["a.txt", "deep", "b.txt"], id="cone"),
        pytest.param(
            "sparse-checkout: 'deep/*', sparse-checkout-cone-mode: false",
            "ls; git status --short",
            ["deep"],
            id="patterns",
        ),
        pytest.param("persist-credentials: true, token: x", "cat a.txt", ["new"], id="token"),
        pytest.param(
            "show-progress: false, set-safe-directory: false", "ls", ["a.txt", "deep"], id="others"
        ),
        pytest.param("submodules: recursive, lfs: true", "cat a.txt", ["new"], id="none-of-these"),
    ],
)
def test_inputs(inputs: str, command: str, output: list[str], bench: Bench) -> None:
    """What was asked for is there, from the remote that the base URL leads to."""
    assert check_out(bench, inputs, command) is Result.SUCCESS, bench.errors()
    assert output == shown(bench)


def test_a_commit(bench: Bench, remotes: Remotes) -> None:
    """Any commit of it, and the outputs name it."""
    sha = remotes.git("rev-parse", "v1^{}", at=remotes.root / "acme/lib.git")
    command = "cat a.txt; echo ${{ steps.other.outputs.commit }}; git rev-parse HEAD"

    assert check_out(bench, f"ref: {sha}", command) is Result.SUCCESS, bench.errors()
    assert shown(bench) == ["old", sha, sha]


@pytest.mark.parametrize("place", ["copy", "overlay", "sandbox", "container"])
def test_beside_the_repository_itself(
    place: str, bench: Bench, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Both in one workspace, of any kind; each keeps what the job does to it to itself."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "mine").write_text("mine\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    head = git(root, "rev-parse", "HEAD")
    bench.repository = replace(bench.repository, root=str(root), head_sha=head)
    bench.keep, bench.layered = False, place == "overlay"
    if place == "sandbox":
        need_sandbox()
        bench.executor = SandboxExecutor(View(hidden=(root,), shown=(tmp_path,)))
    if place == "container":
        bench.executor = make_executor(request, "docker")
    end = bench.run(
        """
- uses: actions/checkout@v4
- uses: actions/checkout@v4
  with: {repository: acme/lib, path: lib}
- run: |
    cat mine lib/a.txt
    test "$(stat -c %u .)" = "$(stat -c %u lib/.git lib/a.txt | sort -u)"
    cd lib; git config user.name x; git config user.email x@example.org
    echo more > a.txt; git commit -q -a -m more; git tag v9
- uses: actions/checkout@v4
  with: {repository: acme/lib, path: lib}
- run: cat lib/a.txt; cd lib; git tag; git log --format=%s
"""
    )

    assert end.result is Result.SUCCESS, bench.errors()
    said = bench.output().splitlines()
    said = [line for line in said if not line.startswith(("Checked", "The image"))]
    assert said == ["mine", "new", "new", "Change"]


def test_without_cleaning(bench: Bench) -> None:
    """What Git does not know stays; what it knows is put anew."""
    end = bench.run(
        """
- uses: actions/checkout@v4
  with: {repository: acme/lib}
- run: echo x > built; echo changed > a.txt
- uses: actions/checkout@v4
  with: {repository: acme/lib, clean: false, ref: v1}
- run: cat built a.txt
"""
    )

    assert end.result is Result.SUCCESS, bench.errors()
    assert bench.output().endswith("x\nold\n")


def test_what_was_fetched_needs_no_remote(bench: Bench, remotes: Remotes) -> None:
    """Offline, what was checked out before is there, also with its history, and nothing else."""
    assert check_out(bench) is Result.SUCCESS
    assert check_out(bench, "fetch-depth: 0") is Result.SUCCESS
    remotes.root.rename(remotes.root.with_name("away"))
    provide(bench, remotes.url, offline=True)

    assert check_out(bench, "", "cat a.txt") is Result.SUCCESS, bench.errors()
    assert shown(bench) == ["new"]
    assert check_out(bench, "fetch-depth: 0", "git describe") is Result.SUCCESS, bench.errors()
    assert shown(bench) == ["v2"]
    assert check_out(bench, "ref: v1") is Result.FAILURE
    assert "acme/lib@v1 is not known offline" in bench.errors()[0]


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ("ref: nowhere", "A branch or tag with the name 'nowhere' could not be found in acme/lib"),
        ("ref: --upload-pack=x", "A branch or tag with the name '--upload-pack=x' could not be"),
        (f"ref: {'a' * 40}", f"acme/lib has no commit {'a' * 40}"),
        ("ref: abcdef12", "A branch or tag with the name 'abcdef12' could not be found"),
        ("path: ../out", "is not under"),
        ("github-server-url: nonsense", "'nonsense' is not the URL of a server"),
        ("github-server-url: 'file:///srv'", "'file:///srv' is not the URL of a server"),
    ],
)
def test_refusals(inputs: str, error: str, bench: Bench) -> None:
    """What is not there, or not possible, fails the step with the reason."""
    assert check_out(bench, inputs) is Result.FAILURE
    assert error in bench.errors()[0]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("acme/none", "actions/checkout: acme/none: repository not found"),
        ("acme", "Invalid repository 'acme'. Expected format {owner}/{repo}."),
        ("acme/lib/sub", "Invalid repository 'acme/lib/sub'. Expected format {owner}/{repo}."),
        ("../lib", "Invalid repository '../lib'. Expected format {owner}/{repo}."),
        ("-x/lib", "actions/checkout: -x/lib: repository not found"),
        ("acme/..", "Invalid repository 'acme/..'. Expected format {owner}/{repo}."),
    ],
)
def test_names_that_are_none(name: str, error: str, bench: Bench) -> None:
    """A name that is no repository's never reaches Git as anything else."""
    end = bench.run(f"- uses: actions/checkout@v4\n  with: {{repository: {name}}}")

    assert end.result is Result.FAILURE
    assert bench.errors()[0].startswith(error)


def test_what_is_not_fetched_is_said(bench: Bench, remotes: Remotes, tmp_path: Path) -> None:
    """Submodules and large files of another repository fail the step, and are not left out."""
    work = tmp_path / "work/acme/lib"
    remotes.publish("acme/lib", {".gitattributes": "*.bin filter=lfs\n", "x.bin": POINTER})
    assert check_out(bench, "lfs: true") is Result.FAILURE
    assert "lfs: files that Git LFS keeps for another repository" in bench.errors()[0]
    assert check_out(bench, "", "grep -c oid x.bin") is Result.SUCCESS

    files = str(remotes.root / "acme/lib.git")
    remotes.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", files, "sub", at=work
    )
    remotes.publish("acme/lib", {})
    assert check_out(bench, "submodules: true") is Result.FAILURE
    assert "submodules of another repository are not fetched: 'sub' is one" in bench.errors()[0]
    assert check_out(bench) is Result.SUCCESS


@pytest.mark.parametrize("given", [True, False], ids=["token", "none"])
def test_a_token_opens_the_server_it_is_for(given: bool, bench: Bench, remotes: Remotes) -> None:
    """It is sent there, is not left behind, and without it there is no question to the user."""
    bench.secrets["PAT"] = "s3cret"
    with remotes.over_http(smart=True, password="s3cret", user="x-access-token") as url:
        token = ", token: '${{ secrets.PAT }}'" * given
        provide(bench)
        result = check_out(
            bench, f"github-server-url: '{url}'{token}", "cat a.txt; cat .git/config"
        )

    assert result is (Result.SUCCESS if given else Result.FAILURE), bench.errors()
    told = bench.output() + "".join(bench.errors())
    login = base64.b64encode(b"x-access-token:s3cret").decode()
    assert "s3cret" not in told
    assert login not in told
    if not given:
        assert "acme/lib: repository not found" in bench.errors()[0]


def test_a_token_goes_nowhere_else(bench: Bench, remotes: Remotes) -> None:
    """Another server than the one it is for never sees it, nor does any that token of ours."""
    with remotes.over_http(smart=True, password="s3cret", user="x-access-token") as url:
        provide(bench, url)
        assert check_out(bench, "token: s3cret") is Result.FAILURE
        provide(bench)
        own = f"github-server-url: '{url}', token: ghs_windlasss3cret"
        assert check_out(bench, own) is Result.FAILURE
    assert "repository not found" in bench.errors()[0]


def test_an_ssh_key_is_used(
    bench: Bench, remotes: Remotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ssh alone, from a file that only the user can read and that is gone afterwards."""
    ssh = tmp_path / "bin/ssh"
    ssh.parent.mkdir()
    trace = tmp_path / "trace"
    ssh.write_text(
        f"""#!{SHELL}
echo "$@" >> {trace}
for word; do
    test "$before" = -i && key=$word
    before=$word
done
test -n "$key" || exit 0
stat -c %a "$key" >> {trace}
cat "$key" >> {trace}
cd {remotes.root}
exec {SHELL} -c "$word"
"""
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")
    bench.secrets["KEY"] = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    provide(bench)
    key = "ssh-key: '${{ secrets.KEY }}', ssh-known-hosts: 'github.com ssh-rsa AAAA'"
    remotes.root.joinpath("acme/lib").symlink_to("lib.git")

    assert check_out(bench, key, "cat a.txt") is Result.SUCCESS, bench.errors()
    assert shown(bench) == ["new"]
    calls = trace.read_text()
    assert "git@github.com git-upload-pack 'acme/lib'" in calls
    assert "-o StrictHostKeyChecking=yes -o UserKnownHostsFile=~/.ssh/known_hosts /" in calls
    assert "\n600\n-----BEGIN KEY-----\nabc\n-----END KEY-----\n" in calls
    assert not list((bench.root / "job").glob("key-*"))


def test_another_server_is_another_repository(bench: Bench, remotes: Remotes) -> None:
    """`github-server-url` alone leads to the repository of the same name elsewhere."""
    remotes.publish("octo/cat", {"theirs": "theirs\n"})
    provide(bench)
    with remotes.over_http(smart=True) as url:
        end = bench.run(
            f"- uses: actions/checkout@v4\n  with: {{github-server-url: '{url}/'}}\n- run: ls"
        )

    assert end.result is Result.SUCCESS, bench.errors()
    assert shown(bench) == ["theirs"]
