"""Problem matchers. Expected values: actions/runner src/Test/L0/Worker/IssueMatcherL0.cs,
OutputManagerL0.cs and the tables of .NET's regular expressions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from windlass.jobs.matchers.files import MatcherFileError, read_matchers
from windlass.jobs.matchers.matchers import Issue, JobMatchers, RepositoryFiles, StepMatchers
from windlass.jobs.matchers.matching import Matchers
from windlass.jobs.matchers.patterns import PatternError, translate_pattern

if TYPE_CHECKING:
    from pathlib import Path

BAD = {"regexp": "^ERROR: (.+)$", "message": 1}


def matcher(*patterns: dict[str, Any], owner: str = "me", **keys: str) -> dict[str, Any]:
    return {"owner": owner, "pattern": list(patterns), **keys}


def read(tmp_path: Path, *matchers: dict[str, Any]) -> list[dict[str, Any]]:
    file = tmp_path / "matchers.json"
    file.write_text(json.dumps({"problemMatcher": list(matchers)}))
    return read_matchers(file, "m.json")


@pytest.mark.parametrize(
    ("matchers", "message"),
    [
        pytest.param([matcher(BAD, owner="")], "Owner must not be empty", id="owner"),
        pytest.param(
            [matcher(BAD), matcher(BAD, owner="ME")], "Duplicate owner name 'ME'", id="duplicate"
        ),
        pytest.param(
            [matcher(BAD, severity="asdf")],
            "Matcher 'me' contains unexpected default severity 'asdf'",
            id="severity",
        ),
        pytest.param([matcher()], "Matcher 'me' does not contain any patterns", id="no-pattern"),
        pytest.param(
            [matcher({"regexp": "^e: (.+)$", "code": 1})],
            "At least one pattern must set 'message'",
            id="no-message",
        ),
        pytest.param(
            [matcher({**BAD, "loop": True})],
            "Only the last pattern in a multiline matcher may set 'loop'",
            id="loop-alone",
        ),
        pytest.param(
            [matcher({"regexp": "(a)", "message": 1}, {"regexp": "(b)", "file": 1, "loop": True})],
            "The loop pattern must set 'message'",
            id="loop-without-message",
        ),
        pytest.param(
            [matcher({"regexp": "(a)", "message": 1}, {"regexp": "(b)", "message": 1})],
            "The property 'message' is set twice",
            id="twice",
        ),
        pytest.param(
            [matcher({"regexp": "(a)", "message": 2})],
            "The property 'message' is set to 2 which is out of range",
            id="out-of-range",
        ),
        pytest.param(
            [matcher({"regexp": "(a", "message": 1})],
            "The pattern '(a' cannot be used: missing ), unterminated subpattern at position 0",
            id="bad-pattern",
        ),
        pytest.param(
            [matcher({"regexp": "(a)", "message": [1]})],
            "'message' of a pattern is not a number: [1]",
            id="bad-number",
        ),
    ],
)
def test_refused_file(tmp_path: Path, matchers: list[dict[str, Any]], message: str) -> None:
    """A mistake in a file of matchers is named as the runner names it."""
    with pytest.raises(MatcherFileError) as raised:
        read(tmp_path, *matchers)
    assert str(raised.value) == message


def test_missing_and_broken_file(tmp_path: Path) -> None:
    """A file that is not there, or is no JSON, is named by the path the job knows."""
    with pytest.raises(MatcherFileError, match=r"^Could not find file '/w/x'\.$"):
        read_matchers(tmp_path / "none", "/w/x")
    (tmp_path / "broken").write_text("{")
    with pytest.raises(MatcherFileError, match=r"^'/w/x' is not valid JSON: "):
        read_matchers(tmp_path / "broken", "/w/x")
    with pytest.raises(MatcherFileError, match=r"^Could not read file '/w/x': .* is a folder"):
        read_matchers(tmp_path, "/w/x")


@pytest.mark.parametrize(
    ("pattern", "python", "groups"),
    [
        (r"^(.+):(\d+)$", r"^(.+):(\d+)$", (0, 1, 2)),
        ("(?<a>x)(y)", "(?P<a>x)(y)", (0, 2, 1)),
        ("(?'a'x)\\k<a>", "(?P<a>x)(?P=a)", (0, 1)),
        ("(?<=a)b(?<!c)", "(?<=a)b(?<!c)", (0,)),
        (r"[[\]\[]", r"[\[\]\[]", (0,)),
        (r"\e[\e]\z", r"\x1b[\x1b]\Z", (0,)),
        ("a{,3}", r"a\{,3}", (0,)),
    ],
)
def test_translated_pattern(pattern: str, python: str, groups: tuple[int, ...]) -> None:
    """What .NET says otherwise is said as Python does, groups in .NET's order."""
    translated = translate_pattern(pattern)
    assert (translated.python, translated.groups) == (python, groups)


@pytest.mark.parametrize("pattern", [r"\p{L}", "[a-z-[aeiou]]", "(?<=a+)b", "a(?i)b", "*"])
def test_refused_pattern(pattern: str) -> None:
    """What Python cannot say is refused, with the pattern."""
    with pytest.raises(PatternError) as raised:
        translate_pattern(pattern)
    assert f"'{pattern}'" in str(raised.value)


ESLINT = matcher(
    {"regexp": r"^(\S.*)$", "file": 1},
    {
        "regexp": r"^\s+(\d+):(\d+)\s+(error|warning)\s+(.+)\s\s+(.*)$",
        "line": 1,
        "column": 2,
        "severity": 3,
        "message": 4,
        "code": 5,
        "loop": True,
    },
    owner="eslint",
)
STEPS = matcher(
    {"regexp": "^file: (.+)$", "file": 1},
    {"regexp": "^severity: (.+)$", "severity": 1},
    {"regexp": "^message: (.+)$", "message": 1},
    owner="steps",
)


@pytest.mark.parametrize(
    ("given", "lines", "found"),
    [
        pytest.param(
            [ESLINT],
            ["a.js", "  1:2  error  One.  rule-a", "  3:4  warning  Two.  rule-b", "", "b.js"],
            [(1, "a.js 1 2 error One. rule-a"), (2, "a.js 3 4 warning Two. rule-b")],
            id="loop",
        ),
        pytest.param([ESLINT], ["a.js", "", "  1:2  error  One.  x"], [], id="loop-is-broken"),
        pytest.param(
            [STEPS],
            ["file: f", "severity: warning", "message: m", "message: n"],
            [(2, "f warning m")],
            id="several-lines",
        ),
        pytest.param(
            [STEPS], ["file: f", "severity: warning", "x", "message: m"], [], id="line-between"
        ),
        pytest.param(
            [STEPS],
            ["file: f", "file: g", "severity: notice", "message: m"],
            [(3, "g notice m")],
            id="begins-anew",
        ),
        pytest.param(
            [STEPS, matcher({"regexp": "^(reset) .*$", "message": 1}, owner="other")],
            ["file: f", "severity: error", "reset it", "message: m"],
            [(2, "reset")],
            id="others-are-reset",
        ),
        pytest.param(
            [matcher(BAD, severity="notice", fromPath="a/b.proj")],
            ["ERROR: x"],
            [(0, "notice x a/b.proj")],
            id="defaults",
        ),
        pytest.param(
            [matcher({"regexp": "^(.*): (.+)$", "severity": 1, "message": 2})],
            ["fatal: x", ": y", "Warning: z"],
            [(1, "y"), (2, "Warning z")],
            id="unknown-severity-is-no-issue",
        ),
        pytest.param([matcher(BAD)], ["\x0033[31mERROR: red\x0033[0m"], [(0, "red")], id="colour"),
        pytest.param(
            [
                matcher({"regexp": "^a: (.+)$", "message": 1}, owner="one"),
                matcher({"regexp": "^(.): (.+)$", "code": 1, "message": 2}, owner="two"),
            ],
            ["a: x"],
            [(0, "a x")],
            id="the-latest-is-first",
        ),
    ],
)
def test_matching(
    tmp_path: Path, given: list[dict[str, Any]], lines: list[str], found: list[tuple[int, str]]
) -> None:
    """Which lines hold a problem, and what of it is known."""
    matchers = Matchers()
    for one in read(tmp_path, *given):
        matchers.add(one)
    order = ("file", "line", "column", "severity", "message", "code", "fromPath")
    if any("code" in key for one in given for key in one["pattern"][0]):
        order = ("code", "message")
    seen, removed = matchers.match(lines)

    assert removed == []
    assert [
        (number, " ".join(filter(None, (fields[name] for name in order))))
        for number, fields in seen
    ] == found


def look(tmp_path: Path, *given: dict[str, Any], data: bytes) -> tuple[list[Any], list[str]]:
    warnings: list[str] = []
    job, step = JobMatchers(), StepMatchers(lambda file, _: file, warnings.append)
    job.open(step)
    job.add(read(tmp_path, *given))
    try:
        return list(step.look(data)), warnings
    finally:
        job.close(step)
        step.close()


def test_issue(tmp_path: Path) -> None:
    """An issue says where its line is among those looked at; a number that is none is dropped."""
    pattern = {
        "regexp": "^(.+):(.+):(.+): (.+)$",
        "file": 1,
        "line": 2,
        "column": 3,
        "message": 4,
    }
    found, _ = look(tmp_path, matcher(pattern), data="ä\nf:007:x: m\nlast".encode())

    properties = {"line": "7", "file": "f"}
    assert found == [(3, 14, Issue("error", "m", properties))]


def test_endless_pattern_is_removed(tmp_path: Path) -> None:
    """A pattern that takes too long for a line is given up; the other matchers go on."""
    slow = matcher({"regexp": "^(a+)+$", "message": 1}, owner="slow")
    found, warnings = look(tmp_path, matcher(BAD), slow, data=b"a" * 64 + b"!\nERROR: x\n")

    assert [issue.message for _, _, issue in found] == ["x"]
    (warning,) = warnings
    assert warning.startswith("Removing issue matcher 'slow'. Matcher failed 3 times. Error: ")


def test_removal_reaches_running_steps(tmp_path: Path) -> None:
    """A matcher that goes is not asked any more; without any, nothing is looked at."""
    job, step = JobMatchers(), StepMatchers(lambda file, _: file, lambda _: None)
    job.open(step)
    job.add(read(tmp_path, matcher(BAD), matcher(BAD, owner="Other")))
    assert step.are_there
    assert job.remove(["ME", "nobody"]) == ["me"]
    assert step.are_there
    assert job.remove(["other"]) == ["Other"]
    assert not step.are_there
    job.close(step)


def test_files_of_the_repository(tmp_path: Path) -> None:
    """A file counts if it exists in a checkout of the workflow's repository."""
    for name, url in (("ours", "https://github.com/Octo/cat"), ("theirs", "https://x/y")):
        (tmp_path / name / ".git").mkdir(parents=True)
        (tmp_path / name / ".git/config").write_text(f'[remote "origin"]\n\turl = "{url}"\n')
        (tmp_path / name / "src").mkdir()
        (tmp_path / name / "src/a.c").touch()
    (tmp_path / "loose.c").touch()
    files = RepositoryFiles(str(tmp_path), "https://github.com", "octo/CAT", lambda path: path)
    cases = {
        ("ours/src/a.c", ""): "src/a.c",
        (f"{tmp_path}/ours/src/../src/a.c", "ignored/x"): "src/a.c",
        ("src/a.c", "ours/a.proj"): "src/a.c",
        ("ours/src", ""): None,
        ("ours/src/b.c", ""): None,
        ("theirs/src/a.c", ""): None,
        ("loose.c", ""): None,
        ("a\0b", ""): None,
    }
    assert {case: files.find(*case) for case in cases} == cases
