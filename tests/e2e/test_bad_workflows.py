"""Files that are no good workflows: each command says everything that is wrong, politely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import Repository, assert_is_for_people

if TYPE_CHECKING:
    from collections.abc import Iterable

JOB = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hi\n"


def nested(depth: int) -> str:
    return "on: push\nenv:\n" + "".join(f"{'  ' * n}k{n}:\n" for n in range(1, depth)) + JOB


def alias_bomb() -> str:
    levels = [f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "x:\n  l0: &l0 [1]\n" + "\n".join(levels) + "\non: push\n" + JOB


def matrix_of(legs: int) -> str:
    return JOB.replace(
        "    steps", f"    strategy:\n      matrix:\n        n: {list(range(legs))}\n    steps"
    )


def two_jobs(first: str, second: str) -> str:
    return (
        f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    needs: {first}\n"
        f"    steps: [{{run: x}}]\n  b:\n    runs-on: ubuntu-latest\n    needs: {second}\n"
        f"    steps: [{{run: x}}]\n"
    )


BAD = {
    "empty": (b"", ["ci.yml:1:1: error: "]),
    "only a comment": (b"# nothing\n", ["ci.yml:"]),
    "tabs": (b"on: push\njobs:\n\ta:\n\t\truns-on: x\n", ["ci.yml:3:"]),
    "binary": (bytes(range(256)) * 8, ["ci.yml:"]),
    "invalid UTF-8": (b"on: push\nname: \xff\xfe\n" + JOB.encode(), ["UTF-8"]),
    "more than 1 MiB": (b"on: push\n# " + b"x" * (1 << 20) + b"\n" + JOB.encode(), ["ci.yml:"]),
    "nested 60 deep": (nested(60), ["ci.yml:"]),
    "alias bomb": (alias_bomb(), ["ci.yml:"]),
    "a list": (b"- on: push\n", ["ci.yml:1:1: error: "]),
    "a word": (b"hello\n", ["ci.yml:1:1: error: "]),
    "unclosed quote": (b'on: push\nname: "x\n' + JOB.encode(), ["ci.yml:"]),
    "duplicate key": (f"on: push\n{JOB}on: pull_request\n", ["ci.yml:7:1: error: ", "'on'"]),
    "cyclic needs": (two_jobs("b", "a"), ["ci.yml:", "error: "]),
    "unknown keys": (
        f"on: push\nnmae: x\n{JOB}    timeout: 3\n    shell: x\n",
        ["ci.yml:2:1: error: Unexpected value 'nmae'", "'timeout'", "'shell'", "\n3 errors"],
    ),
    "wrong types": (
        "on: push\nenv: []\njobs:\n  a:\n    runs-on: {x: y}\n    steps: run\n",
        ["ci.yml:2:6: error: ", "ci.yml:5:", "ci.yml:6:12: error: "],
    ),
    "bad expressions": (
        f"on: push\nrun-name: ${{{{ nope }}}}\n{JOB}        if: ${{{{ 1 + }}}}\n",
        ["ci.yml:2:11: error: Unrecognized named-value: 'nope'", "ci.yml:8:"],
    ),
}  # fmt: skip


def cases() -> Iterable[object]:
    for name, (content, texts) in BAD.items():
        for command in ("workflow parse", "lint", "plan", "run"):
            yield pytest.param(command, content, texts, id=f"{command}: {name}")
    for command in ("plan", "run"):  # a count is no matter of the language
        yield pytest.param(
            command, "on: push\n" + matrix_of(257), ["256"], id=f"{command}: 257 legs"
        )


@pytest.mark.parametrize(("command", "content", "texts"), list(cases()))
def test_every_mistake_is_told(
    repository: Repository, command: str, content: str | bytes, texts: list[str]
) -> None:
    """The exit code is 1, and the messages name place and problem."""
    file = repository.workflow(content)
    repository.commit()
    words = [*command.split()]
    if command == "workflow parse":
        words.append(str(file.relative_to(repository.path)))
    done = repository.windlass(*words)
    said = done.stdout + done.stderr

    assert_is_for_people(done)
    assert done.returncode == 1, said
    for text in texts:
        assert text in said
