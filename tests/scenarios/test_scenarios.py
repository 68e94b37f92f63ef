"""Every numbered scenario ends as its JSON says, on every journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.journals import JOURNALS
from tests.scenarios.harness import FOLDER, Scenario, Seen

from windlass.db.server_database import ServerDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.engine.journals.interface import Journal
    from windlass.model.status import Result

NAMES = sorted(path.stem for path in FOLDER.glob("[0-9]*.yaml"))
ROWS = {
    "A08": ("needs", "order"),
    "A09": ("if",),
    "A10": ("matrix",),
    "A16": ("branch",),
    "A27": ("env", "secrets", "vars"),
    "A28": ("gate",),
    "B01": ("quality",),
}


def _marked(name: str) -> Any:
    """Mark a scenario with the requirement rows that its name's words prove."""
    words = set(name.split("_")[1:])
    rows = [row for row, proofs in ROWS.items() if words & set(proofs)]
    return pytest.param(name, marks=[pytest.mark.requirement(row) for row in rows], id=name)


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with JOURNALS[request.param](tmp_path) as made:
        yield made


@pytest.mark.parametrize("name", [_marked(name) for name in NAMES])
def test_scenario(name: str, journal: Journal, tmp_path: Path) -> None:
    """The run, its jobs and its steps end as GitHub would end them, in an order it allows.

    The journal's signals then lead a fresh machine to the same orders: nothing else decides.
    """
    scenario = Scenario(name, tmp_path)

    result = scenario.run(journal)

    check(scenario, result)
    machine = scenario.make_machine()
    replayed = [tuple(machine.receive(signal)) for signal in journal.signals()]
    assert scenario.orders == replayed
    assert list(journal.outlines()) == [journal.outline(orders) for orders in replayed]


@pytest.mark.parametrize("name", [_marked(name) for name in NAMES])
def test_scenario_of_a_server(name: str, database_address: str, tmp_path: Path) -> None:
    """A server, whose runs are rows and whose jobs are taken from a queue, ends it the same way."""
    scenario = Scenario(name, tmp_path)
    store = ServerDatabase(database_address)
    hosted = scenario.run_hosted(store)

    check(scenario, hosted.run())

    machine, journal = scenario.make_machine(), hosted.journal
    replayed = [tuple(machine.receive(signal)) for signal in journal.signals()]
    assert list(journal.outlines()) == [journal.outline(orders) for orders in replayed]
    store.close()


def test_every_scenario_says_what_it_is_about() -> None:
    """A workflow starts with a comment that argues for what is expected, and has its JSON."""
    for name in NAMES:
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# "), name
        assert "Source: " in text, name
        assert (FOLDER / f"{name}.json").is_file(), name
    numbers = [name.partition("_")[0] for name in NAMES]
    assert len(numbers) == len(set(numbers))


def check(scenario: Scenario, result: Result) -> None:
    """Check how it ended, what onlookers saw, and in which order."""
    seen, expected = scenario.seen, scenario.expected
    assert expected["result"] == result.value
    assert {key: _result(job) for key, job in expected["jobs"].items()} == seen.jobs
    _check_jobs(expected["jobs"], seen)
    for earlier, later in expected.get("before", []):
        assert seen.moments.index(earlier) < seen.moments.index(later), seen.moments
    for text in expected.get("messages", []):
        assert any(text in message for message in seen.messages), seen.messages
    for step, text in expected.get("output", {}).items():
        assert text in seen.output[step]


def _result(job: Any) -> str:
    return str(job["result"]) if isinstance(job, dict) else str(job)


def _check_jobs(expected: dict[str, Any], seen: Seen) -> None:
    for key, job in expected.items():
        if not isinstance(job, dict):
            continue
        if "steps" in job:
            assert job["steps"] == seen.steps[key], key
        if "outputs" in job:
            assert job["outputs"] == seen.outputs[key], key
