"""What `./dev guards` tries can be tried: each behaviour has a rule of its own to lose."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.behaviour.guards import SOURCES, Guard, read_guards
from tests.behaviour.harness import FOLDER

GUARDS = read_guards()


def test_every_behaviour_has_a_guard() -> None:
    """guards.yml names each behaviour, and nothing else."""
    behaviours = sorted(f"{file.parent.name}/{file.stem}" for file in FOLDER.glob("*/*.yml"))

    assert sorted(guard.name for guard in GUARDS) == behaviours


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_rule_can_be_taken_away(guard: Guard) -> None:
    """What is to be changed stands in the sources once, and what is left is Python."""
    text = (SOURCES / "windlass" / guard.file).read_text(encoding="utf-8")

    assert guard.apply(text) != text


def test_no_two_behaviours_guard_one_rule() -> None:
    """Each change is another one."""
    changes = Counter((guard.file, guard.changes) for guard in GUARDS)

    assert [change for change, count in changes.items() if count > 1] == []
