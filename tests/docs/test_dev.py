"""The developers' door explains all it can do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CHECKOUT / "dev", *words], capture_output=True, text=True)


def commands_of_script() -> set[str]:
    """The names that the script knows; `help` is not among them."""
    script = (CHECKOUT / "dev").read_text(encoding="utf-8")
    cases = script.partition("case $command in")[2]
    return set(re.findall(r"^    ([a-z][a-z0-9-]*)\)", cases, flags=re.MULTILINE))


def test_help_names_every_command() -> None:
    """Each command of the script is explained, and nothing is explained that is not there."""
    explained = set(re.findall(r"^  ([a-z][a-z0-9-]*) {2,}\w", call("help").stdout, re.MULTILINE))

    assert explained == commands_of_script()


@pytest.mark.requirement("R05")
def test_contributors_are_told_every_command() -> None:
    """CONTRIBUTING.md says when to use each command, and has the labels of issues."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\./dev .+?) \|", text, flags=re.MULTILINE)

    assert set(re.findall(r"\./dev ([a-z0-9-]+)", " ".join(rows))) == commands_of_script()
    assert "| label | meaning |" in text


def test_an_unknown_command() -> None:
    """A command that is not there ends with 2 and the list of those that are."""
    done = call("demmo")

    assert done.returncode == 2
    assert 'there is no command "demmo"' in done.stderr
    assert "  demo " in done.stderr
