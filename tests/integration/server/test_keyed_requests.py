"""Requests that are sent again under their key, since nobody knows what became of them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from tests.hosted_runs import open_site
from tests.hosted_site import ask
from tests.integration.server.hosted_world import BOAT, World

from windlass.db.server_database import open_engine
from windlass.operations.hosted.catalogue import CATALOGUE, find_operation
from windlass.server import threads
from windlass.server.rest import replays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx

MOMENTS = {"undone": "claim_reply", "done": "end_reply"}
"""In the transaction of what is asked for; after it, and before the answer is kept."""

GIVEN: Mapping[str, Callable[[World], dict[str, Any]]] = {
    "runs.cancel": lambda world: {"run": world.going},
    "runs.rerun": lambda world: {"run": world.ended},
    "repositories.register": lambda world: {
        "location": str(world.pushed.bare),
        "name": "octo/raft",
        "token": "t0ken",
    },
    "repositories.renew-webhook-secret": lambda _: BOAT,
    "dispatches.create": lambda _: {**BOAT, "workflow": "deploy.yml"},
    "dispatches.send-event": lambda _: {**BOAT, "type": "docs"},
    "runners.register-token": lambda _: {},
    "runners.drain": lambda _: {"runner": "build-1"},
    "runners.revoke": lambda _: {"runner": "build-1"},
    "tokens.create": lambda _: {"name": "robot"},
}
POSTS = [it for it in CATALOGUE if it.call.method == "POST"]
CLAIMED = [it.name for it in POSTS if not it.keyed]


class Asked:
    """One operation, as it is asked for under a key, and the database that it changes."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.operation = find_operation(name)
        self.address = address
        self.data = folder / "data"
        self.data.mkdir()
        with open_site(address, self.data) as site:
            given = GIVEN[name](World(site, folder))
        call = self.operation.call
        self.path = "/api/v1" + call.path.format(**given)
        self.body = {key: it for key, it in given.items() if key not in call.in_path}

    def ask_and_die(self, moment: str) -> None:
        """Ask a server, in a process of its own, that is killed before it answers."""
        child = os.fork()
        if not child:
            try:
                # The threads of this process are not in that one.
                threads._threads.cache_clear()
                setattr(replays, MOMENTS[moment], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
                os.write(2, self._ask(self.body).content)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it was not killed"

    def ask_again(self, **changed: Any) -> httpx.Response:
        """Ask another server, when whoever carried it out is taken for dead."""
        return self._ask({**self.body, **changed})

    def _ask(self, body: Mapping[str, Any]) -> httpx.Response:
        given = body if self.operation.call.has_body else None
        with open_site(self.address, self.data) as site:
            return ask(site).post(self.path, json=given, headers={"Idempotency-Key": "k"})

    def read_tables(self) -> dict[str, list[Any]]:
        """All rows of the database but those of replies, by table."""
        engine = open_engine(self.address)
        with engine.connect() as connection:
            names = sqlalchemy.inspect(connection).get_table_names()
            rows = {
                name: sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {name}")))
                for name in names
                if name != "replies"
            }
        engine.dispose()
        return rows


def test_every_post_is_done_once() -> None:
    """One that is added says how it answers for what it has done before, and is tried here."""
    assert set(GIVEN) == {it.name for it in POSTS}
    for operation in POSTS:
        ways = (operation.keyed, operation.once, operation.again is not None)
        assert ways.count(True) == 1, operation.name


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_what_a_dead_server_did_is_not_done_again(
    name: str, database_address: str, tmp_path: Path
) -> None:
    """Killed between its commit and its answer: who asks again changes nothing, and is answered."""
    asked = Asked(name, database_address, tmp_path)
    untouched = asked.read_tables()

    asked.ask_and_die("done")
    before = asked.read_tables()
    answer = asked.ask_again()

    assert before != untouched
    assert asked.read_tables() == before
    if asked.operation.once:
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    else:
        assert answer.status_code == asked.operation.status, answer.text
        asked.operation.call.answer.model_validate(answer.json())


@pytest.mark.parametrize("name", CLAIMED)
def test_what_a_dead_server_did_not_do_is_done(
    name: str, database_address: str, tmp_path: Path
) -> None:
    """Killed before its commit it has done nothing, and whoever asks again has it done."""
    asked = Asked(name, database_address, tmp_path)
    before = asked.read_tables()

    asked.ask_and_die("undone")
    between = asked.read_tables()
    answer = asked.ask_again()

    assert between == before
    assert answer.status_code == asked.operation.status, answer.text
    assert "idempotency-replayed" not in answer.headers
    assert asked.read_tables() != before


def test_a_key_of_a_dead_server_is_of_one_request(database_address: str, tmp_path: Path) -> None:
    """With another body it is refused, though nobody knows the answer to the first one."""
    asked = Asked("tokens.create", database_address, tmp_path)
    asked.ask_and_die("done")
    before = asked.read_tables()

    answer = asked.ask_again(name="other")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert asked.read_tables() == before
