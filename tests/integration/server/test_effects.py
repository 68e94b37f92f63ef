"""Effects where servers die: nothing is lost, and others take over."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.effect_servers import ADAPTERS, Servers
from tests.waiting import wait_until

from windlass.engine.effects.desk import LOOK_AGAIN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKEOVER_SECONDS = 10


@pytest.fixture(params=ADAPTERS)
def servers(
    request: pytest.FixtureRequest, database_address: str, tmp_path: Path
) -> Iterator[Servers]:
    made = Servers(request.param, database_address, tmp_path)
    yield made
    made.close()


def test_what_a_killed_server_had_begun_is_done_by_the_next(servers: Servers) -> None:
    """At once what it had not begun, and soon what it had."""
    servers.start("a")
    servers.post("long", 60)
    assert wait_until(lambda: ("begin", "long", "a") in servers.read_ledger())
    servers.kill("a")
    servers.post("short")
    servers.start("b")
    assert wait_until(lambda: ("end", "short", "b") in servers.read_ledger())

    assert wait_until(lambda: ("begin", "long", "b") in servers.read_ledger())


def test_another_server_takes_over(servers: Servers) -> None:
    """What a dead one held is due within 10 s for the one that lives, and ends once."""
    servers.start("a")
    servers.start("b")
    servers.post("1", 2)
    assert wait_until(lambda: servers.read_ledger()[-1][0] == "begin")
    _, _, dead = servers.read_ledger()[-1]
    servers.kill(dead)
    ((due,),) = servers.store.ask("SELECT due FROM effects WHERE id = '1'")
    assert due + LOOK_AGAIN_SECONDS - time.time() < TAKEOVER_SECONDS
    other = "b" if dead == "a" else "a"
    assert wait_until(lambda: ("begin", "1", other) in servers.read_ledger())
    assert wait_until(servers.is_done)

    assert [it for it in servers.read_ledger() if it[0] == "end"] == [("end", "1", other)]


def test_a_server_that_stood_still_does_nothing_more(servers: Servers) -> None:
    """When it goes on, others have done its work, and it begins none of it again."""
    paused = servers.start("a")
    servers.post("1", 60)
    assert wait_until(lambda: ("begin", "1", "a") in servers.read_ledger())
    os.kill(paused.pid, signal.SIGSTOP)
    servers.start("b")
    servers.post("2")
    assert wait_until(lambda: ("end", "2", "b") in servers.read_ledger())
    assert wait_until(lambda: ("begin", "1", "b") in servers.read_ledger())
    os.kill(paused.pid, signal.SIGCONT)
    servers.post("3")
    assert wait_until(lambda: ("end", "3") in {it[:2] for it in servers.read_ledger()})

    begun = Counter(it for it in servers.read_ledger() if it[0] == "begin" and it[1] != "3")
    assert begun == {("begin", "1", "a"): 1, ("begin", "2", "b"): 1, ("begin", "1", "b"): 1}


def test_nothing_is_lost_whenever_servers_are_killed(servers: Servers) -> None:
    """Every effect is carried out; what is repeated was under way at a kill, or had just ended."""
    choose = random.Random(20)
    for number in range(120):
        servers.post(f"{number:03}", choose.choice([0, 0, 0.02]))
    for number in range(4):
        servers.start(f"s{number}")
        wait_until(lambda: False, choose.uniform(0, 0.6), pause_milliseconds=10)
        servers.kill(f"s{number}")
    servers.start("last")
    assert wait_until(servers.is_done)

    ends = Counter(it[1] for it in servers.read_ledger() if it[0] == "end")
    assert sorted(ends) == [f"{number:03}" for number in range(120)]
    assert sum(ends.values()) - len(ends) <= 4 * 8


def test_it_is_quiet_and_listens_to_nobody(servers: Servers) -> None:
    """No line is printed, and no socket waits for connections."""
    process = servers.start("a")
    servers.post("1")
    assert wait_until(servers.is_done)

    listening = "0A"
    inodes = set(list_open_files(process.pid))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            assert words[3] != listening or f"socket:[{words[9]}]" not in inodes
    assert servers.end("a") == ""


def list_open_files(process: int) -> Iterator[str]:
    """What a process has open, but for what it closes meanwhile."""
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield str(link.readlink())
