"""Which files of the repository a step names, and which may have been made before."""

from __future__ import annotations

import pytest
from tests.unit.lint.subjects import HEAD, job, subject

from windlass.lang.lint.checkout import is_preparation
from windlass.lang.lint.named_files import named_files, script_before_change
from windlass.lang.workflow.model import RunStep

CHECKOUT = "      - uses: actions/checkout@v4\n"
FILES = {"scripts/build.sh": "", "setup.sh": "", "deep/down/file.txt": "", "Dockerfile": ""}


def named(steps: str, *, head: str | None = None) -> list[str]:
    """What is named: its kind, its candidates, its place, and `!` where it is certain."""
    text = job(CHECKOUT + steps) if head is None else f"{head}    steps:\n{CHECKOUT}{steps}"
    return [
        f"{one.span.start}-{one.span.end} {one.what} {' or '.join(one.candidates)}"
        + ("!" if one.is_certain else "")
        for one in named_files(subject(text, FILES))
    ]


def run(script: str, more: str = "") -> str:
    lines = "".join(f"          {line}\n" for line in script.split("\n"))
    return f"      - run: |\n{lines}{more}"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("./scripts/x.sh", ["8:11-8:25 script scripts/x.sh!"]),
        ("bash scripts/x.sh a", ["8:16-8:28 script scripts/x.sh!"]),
        ("sh -e x.sh", ["8:17-8:21 script x.sh!"]),
        ("python3 tools/x.py", ["8:19-8:29 script tools/x.py"]),
        (". ./x.sh", ["8:13-8:19 script x.sh!"]),
        ("sudo ./x.sh; ./y.py", ["8:16-8:22 script x.sh!", "8:24-8:30 script y.py!"]),
        ("if true; then ./x.sh; fi", ["8:25-8:31 script x.sh!"]),
        ("a\nb && ./x.sh", ["9:16-9:22 script x.sh!"]),
        ("pip install -q -r requirements.txt", ["8:29-8:45 file requirements.txt!"]),
        ("docker build -f stacks/App .", ["8:27-8:37 file stacks/App"]),
        ("docker compose --file=stack.yml up", ["8:33-8:42 file stack.yml!"]),
        ("#; ./x.sh", []),
        ("a # b; ./x.sh", []),
        ('echo "a" "; ./x.sh"', []),
        ("echo 'a' '; ./x.sh'", []),
        ("a\n# b\n./x.sh", ["10:11-10:17 script x.sh!"]),
        ("make down; ./deep/down/x.sh", ["8:22-8:38 script deep/down/x.sh!"]),
        ("echo ok # see ./x.sh", []),
        ('echo "; ./x.sh"', []),
        ("echo '; ./x.sh'", []),
        ("echo 'a' \"b\"; ./x.sh", ["8:25-8:31 script x.sh!"]),
        ("echo \"it's\" # '\n./x.sh", ["9:11-9:17 script x.sh!"]),
        ("./${{ github.job }}.sh", []),
        ("./${{ github.job }}.sh; ./x.sh", ["8:35-8:41 script x.sh!"]),
        ("cd scripts && ./x.sh", []),
        ("./x.sh\ncd scripts\n./y.sh", ["8:11-8:17 script x.sh!"]),
        ("(pushd a; ./x.sh)", []),
        ("touch x.sh; ./x.sh", []),
        ("touch my-x.sh; ./x.sh", ["8:26-8:32 script x.sh!"]),
        ("make build; ./build/x.sh", []),
        ("make deep; ./deep/x.sh", ["8:22-8:33 script deep/x.sh!"]),
        ("make -C deep/new; ./deep/new/x.sh", []),
    ],
)
def test_files_of_a_script(script: str, expected: list[str]) -> None:
    """Scripts that are run and files that programs are given; comments and texts do not count.

    A file that the script names before may be made by it, and so may one in a folder it names.
    """
    assert named(run(script)) == expected


@pytest.mark.parametrize(
    ("shell", "count"),
    [("bash", 1), ("sh -e {0}", 1), ("bash -x {0}", 1), ("python", 0), ("fish bash", 0)],
)
def test_shells_whose_scripts_are_read(shell: str, count: int) -> None:
    """Only the words of `bash` and `sh` are known."""
    assert len(named(run("./x.sh", f"        shell: {shell}\n"))) == count


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{run: a, working-directory: gone}", ["7:37-7:41 folder gone!"]),
        ("{run: ./x.sh, working-directory: scripts}", ["7:42-7:49 folder scripts!"]),
        ("{run: ./x.sh, working-directory: '${{ env.D }}'}", []),
        ("{run: ./x.sh, working-directory: $HOME}", []),
        ("{run: ./x.sh}", ["7:15-7:21 script x.sh!"]),
    ],
)
def test_folder_of_a_script(step: str, expected: list[str]) -> None:
    """The folder is named as well, and files are looked for in it; a computed one is unknown."""
    found = named(f"      - {step}\n")
    assert found[:1] == expected
    if "scripts" in step:
        assert found[1:] == ["7:15-7:21 script scripts/x.sh!"]


def test_folder_from_the_defaults() -> None:
    """Without one of its own, a step starts in that of its job, then of the workflow."""
    of_job = HEAD + "    defaults: {run: {working-directory: deep}}\n"
    of_both = of_job.replace("jobs:", "defaults: {run: {working-directory: gone}}\njobs:", 1)
    of_workflow = of_both.replace("working-directory: deep", "shell: bash")
    for head, folder in ((of_job, "deep"), (of_both, "deep"), (of_workflow, "gone")):
        found = [one.partition(" ")[2] for one in named(run("./x.sh"), head=head)]
        assert found == [f"folder {folder}!", f"script {folder}/x.sh" + "!" * (folder == "deep")]
    own = named(run("./x.sh", "        working-directory: scripts\n"), head=of_both)
    assert own[0].endswith("folder scripts!")


BUILD = "docker/build-push-action@v6"


@pytest.mark.parametrize(
    ("uses", "inputs", "expected"),
    [
        ("Docker/Build-Push-Action@v6", "file: x", ["8:22-8:23 Dockerfile x!"]),
        (BUILD, "context: x", ["8:25-8:26 folder x!"]),
        (
            BUILD,
            "file: x, context: deep",
            ["8:22-8:23 Dockerfile x or deep/x!", "8:34-8:38 folder deep!"],
        ),
        (BUILD, "file: x, context: '${{ env.A }}'", ["8:22-8:23 Dockerfile x!"]),
        (BUILD, "context: .", []),
        (BUILD, "context: ./", []),
        (BUILD, "file: '${{ env.A }}'", []),
        (BUILD, "file: 'a b'", []),
        ("hadolint/hadolint-action@v3", "dockerfile: x", ["8:28-8:29 Dockerfile x!"]),
        ("hadolint/hadolint-action@v3", "dockerfile: x, context: a", ["8:28-8:29 Dockerfile x!"]),
        ("actions/setup-node@v4", "node-version-file: .nvmrc", ["8:35-8:41 file .nvmrc!"]),
        ("actions/setup-node@v4", "cache: npm", []),
        ("owner/other@v1", "file: x", []),
    ],
)
def test_files_of_an_action(uses: str, inputs: str, expected: list[str]) -> None:
    """Inputs that name one file or folder; a `file` may be meant within the `context`."""
    assert named(f"      - uses: {uses}\n        with: {{{inputs}}}\n") == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("      - run: make\n", ["script gone/x.sh", "script y.sh"]),
        ("      - uses: actions/setup-node@v4\n", ["script gone/x.sh", "script y.sh!"]),
        ("      - uses: actions/checkout@v4\n", ["script gone/x.sh", "script y.sh!"]),
        ("      - uses: owner/build@v1\n", ["script gone/x.sh", "script y.sh"]),
        ("      - run: mkdir gone\n", ["script y.sh"]),
        ("      - {run: a, env: {A: x.sh y.sh}}\n", []),
        ("      - {uses: o/r@v1, with: {a: gone}}\n", ["script y.sh"]),
        ("      - uses: actions/download-artifact@v4\n", []),
        (
            "      - {uses: Actions/Download-Artifact@v4, with: {path: out}}\n",
            ["script gone/x.sh", "script y.sh"],
        ),
        ("      - {uses: actions/download-artifact@v4, with: {name: out}}\n", []),
        ("      - parallel: [{run: touch y.sh}]\n", ["script gone/x.sh"]),
    ],
)
def test_steps_before(before: str, expected: list[str]) -> None:
    """What a step before names, or unpacks, may be there; what it builds makes it uncertain."""
    found = named(before + run("./gone/x.sh\n./y.sh"))
    assert [one.partition(" ")[2] for one in found] == expected


def test_a_folder_of_a_similar_name_makes_it_certain() -> None:
    """Folders below the root are compared with what is beside them."""
    steps = "".join(
        f"      - {{run: a, working-directory: deep/{name}}}\n" for name in ("dwn", "up")
    )
    found = named("      - run: make\n" + steps)
    assert [one.partition(" ")[2] for one in found] == ["folder deep/dwn!", "folder deep/up"]


def test_a_file_of_a_similar_name_makes_it_certain() -> None:
    """A build does not make what is there under almost that name."""
    found = named("      - run: make\n" + run("./setups.sh\n./setting-up.sh"))
    assert [one.partition(" ")[2] for one in found] == ["script setups.sh!", "script setting-up.sh"]


@pytest.mark.parametrize(
    "checkout", ["{repository: o/r}", "{path: sub}", "'${{ fromJSON(env.A) }}'"]
)
def test_another_tree_is_not_looked_at(checkout: str) -> None:
    """A job that checks something out elsewhere, or something else, is left alone."""
    step = f"      - uses: Actions/Checkout@v4\n        with: {checkout}\n"
    assert named(run("./x.sh") + step) == []
    assert named(run("./x.sh") + CHECKOUT + "        with: {ref: main}\n") != []
    assert list(named_files(subject(job(run("./x.sh") + CHECKOUT), FILES))) == []


def test_steps_that_only_prepare() -> None:
    """Checkouts and tools make nothing that a workflow could name."""
    steps = "".join(
        f"      - {step}\n"
        for step in (
            *("uses: actions/checkout@v4", "uses: actions/setup-go@v5"),
            *("uses: o/r@v1", "run: a"),
        )
    )
    found = [is_preparation(place.step) for place in subject(job(steps)).steps]
    assert found == [True, True, False, False]


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        ("a; b", "a; b"),
        ("a; cd b; c", "a"),
        ("cd b", ""),
        ("a\n  cd b", "a\n"),
        ("a && pushd b", "a &"),
        ("abcd e", "abcd e"),
        ("a | cd\tb", "a "),
    ],
)
def test_script_up_to_its_first_change_of_folder(script: str, kept: str) -> None:
    """After `cd` and `pushd` nobody knows where a script is."""
    ((_, step),) = subject(job(run(script))).run_steps
    assert isinstance(step, RunStep)
    assert script_before_change(step).rstrip("\n") == kept.rstrip("\n")
