"""Every rule: its code, its example and its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.lang.lint import Repository, Rule, all_rules, lint_file
from windlass.lang.lint.catalogue import CODES
from windlass.lang.lint.pages import write_pages

if TYPE_CHECKING:
    from collections.abc import Callable

RULES_FOLDER = Path(__file__).parents[3] / "src" / "windlass" / "lang" / "lint" / "rules"
EXAMPLE = ".github/workflows/example.yml"


class ExampleFiles:
    """The files of a rule's example, and nothing else."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return None if text is None else text.encode()

    def exists(self, path: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self._files)

    def list(self, folder: str) -> tuple[str, ...]:
        start = f"{folder}/"
        return tuple(name.removeprefix(start) for name in self._files if name.startswith(start))


def lint_example(rule: Rule, text: str) -> list[str]:
    files = ExampleFiles({**rule.files, EXAMPLE: text})
    repository = Repository(files, timezones=lambda: frozenset({"Europe/Berlin", "UTC"}))
    return [found.code for found in lint_file(EXAMPLE, text.encode(), repository)]


every_rule = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)


@every_rule
@pytest.mark.requirement("B01")
def test_before_triggers_exactly_this_rule(rule: Rule) -> None:
    """The example that is wrong is found by the rule it explains, and by no other."""
    assert {rule.code} == set(lint_example(rule, rule.before))


@every_rule
def test_after_triggers_nothing(rule: Rule) -> None:
    """The example put right is clean under all rules."""
    assert lint_example(rule, rule.after) == []


@every_rule
def test_rule_is_documented(rule: Rule) -> None:
    """A rule has a kebab-case code, a one-line summary and a text of its own."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.code)
    assert rule.summary
    assert "\n" not in rule.summary
    assert len(rule.text.strip()) > len(rule.summary)


def test_every_file_of_a_rule_is_in_the_catalogue() -> None:
    """No rule is written and then forgotten."""
    files = {path.stem.replace("_", "-") for path in RULES_FOLDER.glob("*.py")} - {"--init--"}

    assert set(CODES) == files
    assert list(CODES) == sorted(CODES)
    assert [rule.code for rule in all_rules()] == list(CODES)


DOCUMENTS = Path(__file__).parents[3] / "docs" / "reference" / "lint"


@pytest.mark.requirement("R05")
@pytest.mark.parametrize("name", write_pages())
def test_page_is_current(name: str, golden: Callable[[Path, str], None]) -> None:
    """The reference page of each rule, and the index, say what the rules say."""
    golden(DOCUMENTS / name, write_pages()[name])


def test_no_page_is_left_over() -> None:
    """A page without a rule is removed."""
    assert {path.name for path in DOCUMENTS.glob("*.md")} == set(write_pages())
