"""The server keeps to its own description: schemathesis asks whatever that allows, and forbids.

WINDLASS_EXAMPLES says how many requests are drawn for each operation; `./dev nightly` sets it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import open_site
from tests.hosted_site import TOKEN
from tests.integration.server.test_doors import World
from tests.live_server import running

from windlass.operations.hosted.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
EXAMPLES = int(os.environ.get("WINDLASS_EXAMPLES", "0"))
SEED = "20260101"
BUDGET_SECONDS = 15 if not EXAMPLES else 3600
PATIENCE_SECONDS = BUDGET_SECONDS + 120
OPERATIONS = len(CATALOGUE)

CONFIG = """
[checks.positive_data_acceptance]
# 422: what no schema says, such as a cursor of another list. See conformance_checks.py.
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422"]
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    data = tmp_path / "data"
    data.mkdir()
    database = f"sqlite:///{tmp_path / 'server.db'}"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").make_database()
    with open_site(database, data) as site:
        with site.store.writing() as connection:
            connection.execute("DELETE FROM repositories")
        World(site, tmp_path)
        with running(site) as server:
            yield server.address


def test_the_server_keeps_to_its_description(address: str, tmp_path: Path) -> None:
    """No answer is a 5xx, or another than the OpenAPI document says."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    phases = ["examples", "coverage", "fuzzing"] if EXAMPLES else ["examples", "fuzzing"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(config),
            "run",
            f"{address}/api/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {TOKEN}",
            "--phases",
            ",".join(phases),
            "--max-examples",
            str(EXAMPLES or 4),
            "--request-timeout",
            "60",
            "--max-time",
            str(BUDGET_SECONDS),
            "--seed",
            SEED,
            "--continue-on-failure",
            "--no-color",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{CHECKOUT / 'src'}",
            "SCHEMATHESIS_HOOKS": "tests.integration.server.conformance_checks",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert f"Selected: {OPERATIONS}/{OPERATIONS}" in done.stdout
