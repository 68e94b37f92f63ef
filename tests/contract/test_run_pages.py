"""The runs of a server, page by page, on SQLite and PostgreSQL."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from windlass.db.runs import (
    AttemptRow,
    RunFilter,
    RunRow,
    enter_attempt,
    finish_attempt,
    list_page,
)
from windlass.db.server_database import ServerDatabase
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.connections import Store

COUNT = 24


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'server.db'}"
    else:
        address = request.getfixturevalue("postgres").make_database()
    served = ServerDatabase(address)
    yield served
    served.close()


def make_rows() -> list[AttemptRow]:
    """Runs of two repositories, workflows and branches; several were created at the same time."""
    return [
        AttemptRow(
            run=RunRow(
                id=f"r{number:02}",
                number=number,
                workflow="CI",
                path=f".github/workflows/{'ab'[number // 2 % 2]}.yml",
                event="push",
                sha="f" * 40,
                ref=f"refs/heads/{'xy'[number // 4 % 2]}",
                created=float(number // 3),
                repository=f"repo{number % 2}",
            ),
            attempt=1,
            started=5.0,
            finished=None if number % 3 else 6.0,
            result=None if number % 3 else Result.FAILURE,
        )
        for number in range(COUNT)
    ]


def fill(store: Store) -> list[AttemptRow]:
    rows = make_rows()
    with store.writing() as connection:
        for row in rows:
            enter_attempt(connection, row)
    return sorted(rows, key=lambda row: (row.run.created, row.run.id), reverse=True)


def is_wanted(row: AttemptRow, wanted: RunFilter) -> bool:
    state = "running" if row.result is None else row.result.value
    return all(
        value in (None, actual)
        for value, actual in (
            (wanted.repository, row.run.repository),
            (wanted.path, row.run.path),
            (wanted.ref, row.run.ref),
            (wanted.state, state),
        )
    )


def read_pages(store: Store, wanted: RunFilter, limit: int) -> list[AttemptRow]:
    found: list[AttemptRow] = []
    page = list_page(store, wanted, limit)
    while page:
        assert len(page) <= limit
        found += page
        page = list_page(store, wanted, limit, (page[-1].run.created, page[-1].run.id))
    return found


def test_the_pages_of_any_choice_are_all_of_it_newest_first(store: Store) -> None:
    """Whatever is asked for, its pages hold every run of that kind once, in one order."""
    rows = fill(store)
    choices = product((None, "repo1"), (None, make_rows()[0].run.path), (None, "refs/heads/y"))
    for repository, path, ref in choices:
        for state in (None, "running", "failure", "success"):
            wanted = RunFilter(repository=repository, path=path, ref=ref, state=state)
            expected = [row for row in rows if is_wanted(row, wanted)]

            assert read_pages(store, wanted, 5) == expected


def test_a_run_is_found_by_how_its_last_attempt_is(store: Store) -> None:
    """Where a run goes on with another attempt, it runs again, and then is what that one is."""
    first = make_rows()[0]
    with store.writing() as connection:
        enter_attempt(connection, first)
    assert [row.attempt for row in list_page(store, RunFilter(state="failure"), 9)] == [1]

    with store.writing() as connection:
        enter_attempt(connection, AttemptRow(run=first.run, attempt=2, started=7.0))
    assert list_page(store, RunFilter(state="failure"), 9) == []
    assert [row.attempt for row in list_page(store, RunFilter(state="running"), 9)] == [2]

    with store.writing() as connection:
        finish_attempt(connection, "r00", 2, 8.0, Result.SUCCESS)
    assert [row.result for row in list_page(store, RunFilter(state="success"), 9)] == ["success"]


@pytest.mark.requirement("K13")
@pytest.mark.requirement("V05")
@pytest.mark.parametrize(
    "names", [(), ("state",), *product(["repository"], ["", "path", "ref", "state"])]
)
def test_a_page_is_read_along_an_index(tmp_path: Path, names: tuple[str, ...]) -> None:
    """No page makes the database sort, or look at all runs that there are."""
    asked: list[tuple[str, tuple[object, ...]]] = []
    store = ServerDatabase(f"sqlite:///{tmp_path / 'server.db'}")
    ask = store.ask
    store.ask = lambda question, values=(): asked.append((question, tuple(values))) or []  # type: ignore[method-assign,func-returns-value]

    list_page(store, RunFilter(**dict.fromkeys(filter(None, names), "x")), 5, (1.0, "r"))

    ((question, values),) = asked
    plan = [row[3] for row in ask(f"EXPLAIN QUERY PLAN {question}", values)]
    store.close()
    assert not [line for line in plan if "TEMP B-TREE" in line]
    last = next(filter(None, reversed(names)), None)
    expected = f"{last}=? AND (created,id)<(?,?)" if last else "(created,id)<(?,?)"
    assert expected in next(line for line in plan if " runs " in line).replace(" COVERING", "")
