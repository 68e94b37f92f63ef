"""Linting a folder: what is read, what is ignored, ShellCheck, SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from windlass.errors import InputError, PlatformError
from windlass.lang.diagnostics import Severity
from windlass.operations import lint as operation
from windlass.operations.lint import find_shellcheck, lint

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.lang.diagnostics import Diagnostic

RIGHT = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"
WRONG = RIGHT.replace("make", "echo ${{ github.repo }}")

needs_shellcheck = pytest.mark.skipif(
    find_shellcheck() is None, reason="shellcheck is neither in the venv nor on PATH"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    return tmp_path


def write(repository: Path, text: str, name: str = "ci.yml") -> Path:
    file = repository / ".github" / "workflows" / name
    file.write_text(text, encoding="utf-8")
    return file


def places(found: tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    return [(d.code, d.span.start.line, d.span.start.column) for d in found if d.span]


@pytest.mark.requirement("M01")
def test_all_workflows_of_a_repository_are_read(repository: Path) -> None:
    """Both endings are read, in the order of their names, and nothing else."""
    write(repository, RIGHT, "b.yml")
    write(repository, RIGHT, "a.yaml")
    write(repository, "not a workflow", "notes.txt")
    report = lint(root=repository, use_shellcheck=False)

    assert report.files == (".github/workflows/a.yaml", ".github/workflows/b.yml")
    assert report.diagnostics == ()


def test_paths_name_files_folders_and_repositories(repository: Path) -> None:
    """A file, its folder and the repository are three names for the same workflow."""
    file = write(repository, WRONG)
    for path in (file, file.parent, repository):
        report = lint([path], use_shellcheck=False)
        assert report.root == repository.resolve()
        assert places(report.diagnostics) == [("unknown-property", 6, 23)]


def test_actions_of_the_repository_are_linted(repository: Path) -> None:
    """A composite action is looked at like a job's steps."""
    write(repository, RIGHT)
    action = repository / ".github" / "actions" / "greet" / "action.yml"
    action.parent.mkdir(parents=True)
    action.write_text(
        "name: greet\ndescription: x\nruns:\n  using: composite\n  steps:\n"
        "    - run: echo ${{ inputs.who }}\n      shell: bash\n"
    )
    report = lint(root=repository, use_shellcheck=False)

    assert places(report.diagnostics) == [("unknown-input", 6, 21)]
    assert report.diagnostics[0].hint == "declare it under `inputs`"


def test_file_outside_of_a_repository_lacks_nothing(tmp_path: Path) -> None:
    """What a lone file refers to cannot be looked up, and is not reported as missing."""
    file = tmp_path / "lone.yml"
    steps = (
        "      - uses: actions/checkout@v4\n      - uses: ./greet\n      - run: ./scripts/x.sh\n"
    )
    call = "  call:\n    uses: ./.github/workflows/other.yml\n"
    file.write_text(RIGHT.replace("      - run: make\n", steps) + call)

    assert lint([file], use_shellcheck=False).diagnostics == ()


def test_files_of_several_repositories(tmp_path: Path) -> None:
    """Each file is looked at within its own repository; others than the first have full paths."""
    for name in ("one", "two"):
        folder = tmp_path / name / ".github" / "workflows"
        folder.mkdir(parents=True)
        (folder / "ci.yml").write_text(RIGHT.replace("run: make", "uses: $/greet"))
    (tmp_path / "two" / "greet").mkdir()
    (tmp_path / "two" / "greet" / "action.yml").write_text(
        "name: a\nruns:\n  using: node24\n  main: a.js\n"
    )
    report = lint([tmp_path / "one", tmp_path / "two"], use_shellcheck=False)

    assert report.files[1] == str((tmp_path / "two/.github/workflows/ci.yml").resolve())
    assert places(report.diagnostics) == [("missing-local-action", 6, 15)]
    assert report.root == (tmp_path / "one").resolve()


def test_circle_of_links_can_be_named(tmp_path: Path) -> None:
    """A path that is a circle of links is a finding like any unreadable workflow."""
    (tmp_path / "circle.yml").symlink_to("circle.yml")
    found = lint([tmp_path / "circle.yml"]).diagnostics

    assert [each.code for each in found] == ["unreadable-workflow"]


def test_missing_path_is_an_input_error(repository: Path) -> None:
    """A path that is not there cannot be linted, and neither can an empty folder."""
    with pytest.raises(InputError, match="no such file"):
        lint([repository / "nowhere.yml"])
    with pytest.raises(InputError, match="no workflows"):
        lint([repository])


def test_unreadable_workflow_is_a_finding(repository: Path) -> None:
    """A folder and a circle of links are reported; the other files are linted all the same."""
    write(repository, WRONG)
    folder = repository / ".github" / "workflows"
    (folder / "folder.yml").mkdir()
    (folder / "circle.yml").symlink_to("circle.yml")
    found = lint(root=repository, use_shellcheck=False).diagnostics

    assert [d.code for d in found] == [
        "unknown-property",
        "unreadable-workflow",
        "unreadable-workflow",
    ]


@pytest.mark.parametrize(
    ("text", "is_ignored"),
    [
        (WRONG.rstrip() + " # windlass: ignore[unknown-property]\n", True),
        (WRONG.rstrip() + " # windlass: ignore[bad-glob, unknown-property]\n", True),
        (WRONG.rstrip() + " # windlass: ignore[bad-glob]\n", False),
        (
            WRONG.replace("      - run", "      # windlass: ignore[unknown-property]\n      - run"),
            True,
        ),
        (WRONG.replace("steps:", "steps: # windlass: ignore[unknown-property]"), False),
    ],
    ids=["same line", "one of several", "another rule", "line above", "comment after something"],
)
def test_comment_ignores_a_rule_in_its_line(repository: Path, text: str, is_ignored: bool) -> None:
    """A comment in the line, or alone in the line above, switches off the rules it names."""
    write(repository, text)
    report = lint(root=repository, use_shellcheck=False)

    assert (report.diagnostics == ()) is is_ignored


def test_nothing_outside_the_repository_is_read(repository: Path) -> None:
    """A path with `..` does not lead out of the repository, and neither does a link."""
    files = operation.FolderFiles(repository / ".github")
    (repository / "secret").write_text("x")
    (repository / ".github" / "link").symlink_to(repository / "secret")

    assert files.read("../secret") is None
    assert files.read("link") is None
    assert not files.exists("../secret")
    assert files.list("..") == ()


def test_mistakes_of_reading_and_rules_are_told_once(repository: Path) -> None:
    """A called workflow with a mistake is reported in its own place, once."""
    write(repository, "on: workflow_call\njobs: {}\n", "called.yml")
    write(repository, "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n", "b.yml")
    found = lint(root=repository, use_shellcheck=False).diagnostics

    assert len(found) == len(set(found))
    assert {d.span.path for d in found if d.span} == {".github/workflows/called.yml"}


@needs_shellcheck
def test_shellcheck_finds_the_place_in_the_workflow(repository: Path) -> None:
    """Line and column are those of the workflow, in a block and in a plain script."""
    steps = "      - run: echo $HOME/$1\n      - run: |\n          set -e\n          rm $FILES\n"
    write(repository, RIGHT.replace("      - run: make\n", steps))
    report = lint(root=repository)

    assert report.remarks == ()
    assert places(report.diagnostics) == [
        ("shellcheck", 6, 19),
        ("shellcheck", 6, 25),
        ("shellcheck", 9, 14),
    ]
    assert all("SC2086" in found.message for found in report.diagnostics)
    assert {found.severity for found in report.diagnostics} == {Severity.NOTICE}


@needs_shellcheck
def test_shellcheck_is_not_misled_by_expressions(repository: Path) -> None:
    """An expression is a word to ShellCheck, and other shells are left alone."""
    steps = (
        '      - run: if [ "${{ github.ref }}" = "x" ]; then echo "${{ github.sha }}"; fi\n'
        "      - run: print(undefined)\n        shell: python\n"
    )
    write(repository, RIGHT.replace("      - run: make\n", steps))

    assert lint(root=repository).diagnostics == ()


@needs_shellcheck
def test_shellcheck_leaves_windows_alone(repository: Path) -> None:
    """A step without a shell is PowerShell there; one that names bash is checked."""
    steps = "      - run: (& ./tool) | Out-String\n      - run: rm $FILES\n        shell: bash\n"
    text = RIGHT.replace("      - run: make\n", steps).replace("ubuntu-latest", "windows-latest")
    write(repository, text)

    assert places(lint(root=repository).diagnostics) == [("shellcheck", 7, 17)]


@needs_shellcheck
def test_shellcheck_knows_how_the_runner_starts_shells(repository: Path) -> None:
    """Variables come from `env`, and `-e` ends a script whose `cd` fails."""
    script = '      - run: |\n          cd build\n          echo "$MODE"\n'
    write(repository, RIGHT.replace("      - run: make\n", script))

    assert lint(root=repository).diagnostics == ()


@needs_shellcheck
def test_shellcheck_findings_can_be_ignored(repository: Path) -> None:
    """The comment in a line of the script counts."""
    write(repository, RIGHT.replace("make", "echo $1 # windlass: ignore[shellcheck]"))
    assert lint(root=repository).diagnostics == ()


def test_absent_shellcheck_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ShellCheck the report says what was not looked into."""
    monkeypatch.setattr(operation, "find_shellcheck", lambda: None)
    write(repository, RIGHT)
    (remark,) = lint(root=repository).remarks

    assert "ShellCheck is not installed" in remark


def test_broken_shellcheck_is_a_broken_platform(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ShellCheck that prints rubbish is not taken for one that found nothing."""
    monkeypatch.setattr(operation, "find_shellcheck", lambda: "/bin/echo")
    write(repository, RIGHT)
    with pytest.raises(PlatformError, match="ShellCheck"):
        lint(root=repository)


@pytest.mark.requirement("B01")
def test_sarif_has_what_code_scanning_needs(repository: Path) -> None:
    """Version, tool, rules with levels, and results that point to a rule and a region."""
    write(repository, WRONG)
    log = lint(root=repository, use_shellcheck=False).to_sarif()
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    (result,) = run["results"]
    rule: dict[str, Any] = driver["rules"][result["ruleIndex"]]

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    assert driver["name"] == "windlass"
    assert driver["version"]
    assert rule["id"] == result["ruleId"] == "unknown-property"
    assert rule["defaultConfiguration"]["level"] == result["level"] == "error"
    assert rule["shortDescription"]["text"]
    assert rule["help"]["markdown"]
    assert len({each["id"] for each in driver["rules"]}) == len(driver["rules"])
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == ".github/workflows/ci.yml"
    assert place["region"] == {"startLine": 6, "startColumn": 23, "endLine": 6, "endColumn": 34}
    assert "github" in result["message"]["text"]


def test_sarif_names_rules_of_the_reader_too(repository: Path) -> None:
    """A mistake that the reader finds has an entry among the rules."""
    write(repository, RIGHT.replace("steps", "stepz"))
    run = lint(root=repository, use_shellcheck=False).to_sarif()["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert run["results"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
