"""Shared by every suite: golden files and the path of GitHub's own schemas."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import hypothesis
import pytest
from tests.docker import docker
from tests.postgres import database_address, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["database_address", "docker", "postgres"]

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Start from a terminal's signals; a shell lets what it starts in the background ignore SIGINT.

    `nohup` does the same to SIGHUP, which Windlass then ignores, as it should. Every process of a
    step would inherit that and could not be interrupted; the command line takes the signals over
    for the same reason (`cli/run.py`).
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Jobs run on this machine unless a test says otherwise, not where the user's settings say.
    os.environ["WINDLASS_CONFIG"] = str(CHECKOUT / "tests/host.toml")
    # How long an example takes says how busy the machine is: `bench/` measures, tests do not.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("windlass", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("windlass")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite expected golden files")
    parser.addoption("--place", default="host", help="where behaviours run: as behind `-P LABEL=`")


def pytest_sessionstart() -> None:
    """Prepare a session that `./dev mutation` starts, forked from one that has already run."""
    if "MUTANT_UNDER_TEST" not in os.environ:
        return
    # Every call of a mutated function takes three frames instead of one.
    sys.setrecursionlimit(20_000)
    # No mutant may be judged by what the original left in a cache.
    for thing in gc.get_objects():
        if isinstance(thing, _lru_cache_wrapper) and thing.__module__.startswith("windlass"):
            thing.cache_clear()


class Golden(Protocol):
    def __call__(self, expected_file: Path, actual: str) -> None: ...


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file that holds what is expected; `--update-golden` rewrites it."""

    def compare(expected_file: Path, actual: str) -> None:
        if request.config.getoption("--update-golden"):
            expected_file.write_text(actual, encoding="utf-8")
        expected = expected_file.read_text(encoding="utf-8") if expected_file.exists() else ""

        assert expected == actual, f"{expected_file.name} differs; --update-golden rewrites it"

    return compare


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder for sockets: their paths have 107 bytes at most, wherever temporary files lie."""
    with tempfile.TemporaryDirectory(prefix="windlass-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def github_schemas() -> Path:
    """GitHub's own workflow and action schemas, which lie beside the checkout."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"GitHub's schemas are not at {folder}")
    return folder
