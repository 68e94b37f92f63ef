"""What the documents say happens, happens: every `console` block is executed."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.docs.console import (
    Command,
    File,
    at_port,
    find_place,
    going_on,
    has_lines,
    make_repository,
    matches,
    on_host,
    parse,
    run,
)
from tests.ports import choose_port

CHECKOUT = Path(__file__).resolve().parents[2]
RULES = CHECKOUT / "docs" / "reference" / "lint"
DOCUMENTS = [
    CHECKOUT / "README.md",
    *sorted(page for page in (CHECKOUT / "docs").rglob("*.md") if RULES not in page.parents),
]


def replace_output(document: Path, replacements: list[tuple[Command, str]]) -> None:
    text = document.read_text(encoding="utf-8")
    for command, output in reversed(replacements):
        text = text[: command.start] + output + text[command.end :]
    document.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix()
)
def test_commands_print_what_the_document_says(
    document: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Each command ends and prints as written; `--update-golden` rewrites what it prints."""
    text = document.read_text(encoding="utf-8")
    is_rewritten = pytestconfig.getoption("--update-golden")
    place = find_place(text)
    text = text if place != "host" else on_host(text)
    repository, steps = parse(text if is_rewritten else at_port(text, choose_port()))
    folder, home = tmp_path / Path(repository or "repository").name, tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    make_repository(folder, repository)
    replacements = []
    with contextlib.ExitStack() as stack:
        for step in steps:
            if isinstance(step, File):
                (folder / step.path).parent.mkdir(parents=True, exist_ok=True)
                (folder / step.path).write_text(step.text, encoding="utf-8")
                continue
            if step.goes_on:
                code, output = 0, stack.enter_context(going_on(step, folder, home, place))
            else:
                code, output = run(step, folder, home, place)
            assert code == step.exit_code, f"$ {step.text}\n{output}"
            if step.allows(output):
                continue
            if is_rewritten and "...\n" not in str(step.expected):
                replacements.append((step, output))
                continue

            assert step.expected == output, f"$ {step.text}"
    replace_output(document, replacements)


DOCUMENT = """\
<!-- repository: examples/hello -->
<!-- file: a/b.txt -->
```
hello
```

```console exit=3
$ cat a/b.txt
hello
$ echo one; \\
  echo two; echo three
one
...
three
$ git log --format=%s; exit 3
```
"""


def test_the_convention() -> None:
    """Directives, files, commands with and without output, continuation lines and exit codes."""
    repository, steps = parse(DOCUMENT)

    assert repository == "examples/hello"
    assert isinstance(steps[0], File)
    assert (steps[0].path, steps[0].text) == ("a/b.txt", "hello\n")
    assert [
        (step.text, step.expected, step.exit_code) for step in steps if isinstance(step, Command)
    ] == [
        ("cat a/b.txt", "hello\n", 0),
        ("echo one; \\\n  echo two; echo three", "one\n...\nthree\n", 0),
        ("git log --format=%s; exit 3", None, 3),
    ]


def test_a_document_without_its_sandbox() -> None:
    """Only the lines go that tell of the place."""
    text = "jobs run in the sandbox: so\nbuild (x)  │ runs in sandbox\nbuild │ ran in sandbox\n"

    assert on_host(text) == "build │ ran in sandbox\n"


def test_a_server_at_another_port() -> None:
    """It is told where to listen, and everybody else is told where it is found."""
    text = "$ windlass up --data d &\nhttp://127.0.0.1:8484\n$ curl http://127.0.0.1:8484/x\n"

    assert at_port(text, 9) == (
        "$ windlass up --listen 127.0.0.1:9 --data d &\nhttp://127.0.0.1:9\n"
        "$ curl http://127.0.0.1:9/x\n"
    )


def test_any_order() -> None:
    """Lines may come in any order; none may be missing, and more only where `...` allows it."""
    assert has_lines("b\na  0.1s\n", "a 0.3s\nb\n")
    assert not has_lines("b\na\n", "b\na\nc\n")
    assert not has_lines("b\nb\n", "b\na\n")
    assert has_lines("b\n...\n", "a\nb\nc\n")
    assert not has_lines("b\n...\nd\n", "a\nb\nc\n")


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\n", True),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a\n...\nz\n", "a\nb\n", False),
        ("✓ x 0.4s\n", "✓ x  1m 02s\n", True),
        ("✓ x 0.4s\n", "✗ x 0.4s\n", False),
        ("on push at 1234567\n", "on push at 89abcde\n", True),
        ("run  64K\n", "run  1.5M\n", True),
        ("main  1234567  2025-01-02 03:04\n", "main  89abcde  2026-11-12 13:14\n", True),
        ("run 1763739146021884\n", "run 1763739146999999\n", True),
        ("no daemon (unix:///a.sock)\n", "no daemon (unix:///b/c.sock)\n", True),
        ("CI\n", "there are no runs yet; the first one is waited for\nCI\n", True),
    ],
)
def test_what_counts_as_the_same_output(expected: str, actual: str, same: bool) -> None:
    """Only `...`, seconds, dates, sizes, commits, runs and their being waited for may differ."""
    assert matches(expected, actual) is same
