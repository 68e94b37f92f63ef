"""The contract of `windlass.engine.journals.interface`, run over every journal there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.journals import JOURNALS

from windlass.engine.driver import drive
from windlass.engine.journals.codec import outline
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.plan.orders import CancelJob, FinishRun, Order
from windlass.plan.signals import CancelRequested, JobFinished, RunStarted, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.engine.journals.interface import Journal

ENTRIES: list[tuple[Signal, list[Order]]] = [
    (RunStarted(), []),
    (CancelRequested("stop"), [CancelJob("a", "stop"), CancelJob("b", "stop")]),
    (JobFinished("a", Result.CANCELLED, {"x": "1"}), []),
    (JobFinished("b", Result.FAILURE), [FinishRun(Result.FAILURE)]),
]


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with JOURNALS[request.param](tmp_path) as made:
        yield made


def fill(journal: Journal) -> None:
    for number, (signal, orders) in enumerate(ENTRIES):
        journal.append(number, signal, orders)


def test_a_new_journal_is_empty(journal: Journal) -> None:
    """There is nothing to replay before the first signal."""
    assert list(journal.signals()) == []
    assert list(journal.outlines()) == []


def test_signals_and_orders_come_back_equal_and_in_order(journal: Journal) -> None:
    """What was appended is what is read, as often as it is asked for."""
    fill(journal)

    for _ in range(2):
        assert list(journal.signals()) == [signal for signal, _ in ENTRIES]
        assert list(journal.outlines()) == [tuple(map(outline, orders)) for _, orders in ENTRIES]


@pytest.mark.parametrize("number", [-1, 0, 3, 5], ids=["negative", "first", "taken", "gap"])
def test_a_number_that_is_not_the_next_one_is_refused(journal: Journal, number: int) -> None:
    """Two drivers on one journal are found out, and nothing of the second one is kept."""
    fill(journal)

    with pytest.raises(PlatformError, match=f"number {number} where number 4 is next"):
        journal.append(number, RunStarted(), [])
    assert len(list(journal.signals())) == len(ENTRIES)


def test_reading_does_not_see_what_is_appended_later(journal: Journal) -> None:
    """An iterator shows the journal as it was when it was asked for."""
    journal.append(0, RunStarted(), [])
    before = journal.signals()

    journal.append(1, CancelRequested("stop"), [])

    assert list(before) == [RunStarted()]


def test_changing_the_orders_afterwards_changes_nothing(journal: Journal) -> None:
    """The journal keeps what it was given, not the caller's list."""
    orders: list[Order] = [CancelJob("a", "stop")]
    journal.append(0, RunStarted(), orders)

    orders.clear()

    assert list(journal.outlines()) == [(("cancel-job", "a"),)]


class Script:
    """A machine that answers as it is told."""

    def __init__(self, answers: list[list[Order]]) -> None:
        self._answers = iter(answers)

    def receive(self, signal: Signal) -> list[Order]:  # noqa: ARG002
        return next(self._answers)


def test_a_driver_keeps_an_order_before_it_is_carried_out(journal: Journal) -> None:
    """Whoever reads the journal knows at least as much as the world."""
    kept: list[bool] = []

    def carry_out(order: Order) -> None:
        kept.append(outline(order) in list(journal.outlines())[-1])

    signals = iter([signal for signal, _ in ENTRIES[1:]])
    result = drive(
        Script([orders for _, orders in ENTRIES]),
        journal=journal,
        next_signal=lambda: next(signals),
        carry_out=carry_out,
    )

    assert result is Result.FAILURE
    assert kept == [True, True, True]
    assert list(journal.signals()) == [signal for signal, _ in ENTRIES]


def test_what_cannot_be_kept_is_not_carried_out(journal: Journal) -> None:
    """A journal that refuses ends the run before its orders are carried out."""
    journal.append(0, RunStarted(), [])
    carried: list[Order] = []

    with pytest.raises(PlatformError):
        drive(
            Script([[CancelJob("a", "stop")]]),
            journal=journal,
            next_signal=RunStarted,
            carry_out=carried.append,
        )

    assert carried == []
