"""What carries effects out, compared: threads over our rows alone, and DBOS.

    python bench/effects.py                    SQLite, and PostgreSQL where it is installed
    python bench/effects.py --quick            a fifth of the effects

For each, in a process of its own: what it takes to start, in seconds and memory; how long an effect
waits from its commit until its handler is called; how many pass in a second; and what 1,000 effects
cost that are due in an hour. An effect that waits longer than 30 ms (the median), or 1,000 parked
ones that take more than 1 % of a core beyond what none takes, is a failure. Handlers do nothing:
this is the price of durability itself. Other work on the machine is in all figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    from windlass.db.server_database import ServerDatabase
    from windlass.engine.effects.interface import Effect, Effects

ADAPTERS = ("threads", "dbos")
EFFECTS = 300
PARKED = 1000
IDLE_SECONDS = 10.0
MOST_WAITING_MS = 30.0
MOST_PARKED_PERCENT = 1.0


def main() -> int:
    """Measure, print a table, and return 1 where something takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the effects")
    parser.add_argument("--child", nargs=4, metavar=("ADAPTER", "ADDRESS", "DIR", "COUNT"))
    arguments = parser.parse_args()
    if arguments.child is not None:
        adapter, address, folder, count = arguments.child
        print(json.dumps(measure(adapter, address, Path(folder), int(count))))
        return 0
    count = EFFECTS // 5 if arguments.quick else EFFECTS
    failed = False
    for database in ("sqlite", "postgresql"):
        for adapter in ADAPTERS:
            figures = measure_apart(database, adapter, count)
            if figures is None:
                print("postgresql: not installed")
                break
            print(f"{database:10} {adapter:8} {lay_out(figures)}", flush=True)
            parked = figures["parked_percent"] - figures["idle_percent"]
            failed |= figures["median_ms"] > MOST_WAITING_MS or parked > MOST_PARKED_PERCENT
    return int(failed)


def lay_out(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures.items())


def measure_apart(database: str, adapter: str, count: int) -> dict[str, float] | None:
    """Measure in a process of its own, with a new database."""
    from tests.postgres import PostgresServer, find_programs

    with tempfile.TemporaryDirectory(prefix="windlass-pg.", dir="/tmp") as name:
        folder = Path(name)
        if database == "sqlite":
            return run_child(adapter, f"sqlite:///{folder / 'server.db'}", folder, count)
        programs = find_programs()
        if programs is None:
            return None
        folder.chmod(0o755)
        server = PostgresServer(folder, programs)
        server.start()
        try:
            return run_child(adapter, server.make_database(), folder, count)
        finally:
            server.stop("immediate")


def run_child(adapter: str, address: str, folder: Path, count: int) -> dict[str, float]:
    words = [sys.executable, __file__, "--child", adapter, address, str(folder), str(count)]
    found: dict[str, float] = json.loads(subprocess.check_output(words))
    return found


def measure(adapter: str, address: str, folder: Path, count: int) -> dict[str, float]:
    """Measure in this process."""
    from windlass.db.server_database import ServerDatabase

    store = ServerDatabase(address)
    noted = Noted()
    memory, began = read_memory(), time.perf_counter()
    effects = open_effects(adapter, store, address, folder, noted)
    effects.start()
    figures = {"start_s": time.perf_counter() - began, "start_mb": read_memory() - memory}
    waits = [noted.time_one(store, effects, number) for number in range(count)]
    figures["median_ms"] = statistics.median(waits)
    figures["p95_ms"] = statistics.quantiles(waits, n=20)[-1]
    figures["per_s"] = count / noted.time_many(store, effects, count)
    figures["idle_percent"] = measure_idle()
    post(store, "parked", PARKED, due=time.time() + 3600)
    effects.wake()
    figures["parked_percent"] = measure_idle()
    effects.stop(5)
    store.close()
    return figures


def open_effects(
    adapter: str, store: ServerDatabase, address: str, folder: Path, handler: Any
) -> Effects:
    from windlass.engine.effects.desk import Rules

    rules = Rules(owner="bench")
    if adapter == "threads":
        from windlass.engine.effects.threads import ThreadedEffects

        return ThreadedEffects(store, {"note": handler}, rules)
    from windlass.engine.effects.dbos import DbosEffects, place_tables

    return DbosEffects(store, {"note": handler}, rules, place_tables(address, folder))


class Noted:
    """A handler that notes when it was called."""

    def __init__(self) -> None:
        self._called = threading.Semaphore(0)
        self._moment = 0.0

    def __call__(self, _effect: Effect) -> None:
        self._moment = time.perf_counter()
        self._called.release()

    def time_one(self, store: ServerDatabase, effects: Effects, number: int) -> float:
        """Milliseconds from the commit of one until its handler is called."""
        post(store, f"one {number}", 1)
        began = time.perf_counter()
        effects.wake()
        assert self._called.acquire(timeout=30)
        return (self._moment - began) * 1000

    def time_many(self, store: ServerDatabase, effects: Effects, count: int) -> float:
        """Seconds until the handlers of all that were committed at once were called."""
        post(store, "many", count)
        began = time.perf_counter()
        effects.wake()
        for _ in range(count):
            assert self._called.acquire(timeout=60)
        return time.perf_counter() - began


def post(store: ServerDatabase, name: str, count: int, due: float = 0.0) -> None:
    from windlass.db.effects import post_effect

    with store.writing() as connection:
        for number in range(count):
            post_effect(connection, f"{name}/{number}", "note", {"number": number}, due)


def measure_idle() -> float:
    """Per cent of a core that this process takes while nothing happens."""
    time.sleep(1)
    used, began = time.process_time(), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    return 100 * (time.process_time() - used) / (time.perf_counter() - began)


def read_memory() -> float:
    """Megabytes that this process has in memory."""
    words = Path("/proc/self/statm").read_text().split()
    return int(words[1]) * 4096 / 1e6


if __name__ == "__main__":
    sys.exit(main())
