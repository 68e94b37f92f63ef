"""The developers' door explains all it can do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CHECKOUT / "dev", *words], capture_output=True, text=True)


def test_help_names_every_command() -> None:
    """Each command of the script is explained, and nothing is explained that is not there."""
    script = (CHECKOUT / "dev").read_text(encoding="utf-8")
    cases = script.partition("case $command in")[2]
    commands = set(re.findall(r"^    ([a-z][a-z0-9-]*)\)", cases, flags=re.MULTILINE))
    explained = set(re.findall(r"^  ([a-z][a-z0-9-]*) {2,}\w", call("help").stdout, re.MULTILINE))

    assert explained == commands


def test_an_unknown_command() -> None:
    """A command that is not there ends with 2 and the list of those that are."""
    done = call("demmo")

    assert done.returncode == 2
    assert 'there is no command "demmo"' in done.stderr
    assert "  demo " in done.stderr
