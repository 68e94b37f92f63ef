"""What `docker create` would tell the daemon: the table by which options are judged, kept true.

`--update-golden` writes the table anew from Docker's own client.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.differential.docker_client import DockerClient, docker_client, essence
from tests.unit.jobs.containers.options_table import TABLE, read_table

from windlass.jobs.containers.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerClient]:
    with docker_client(tmp_path_factory.mktemp("docker")) as found:
        yield found


def test_table(client: DockerClient, pytestconfig: pytest.Config) -> None:
    """Docker's client tells the daemon of every line what the table says."""
    told = {}
    for line in read_table():
        found = client.create(split_words(line))
        assert isinstance(found, dict), f"{line}: {found}"
        told[line] = essence(found)
    if pytestconfig.getoption("--update-golden"):
        rows = ",\n".join(f"{json.dumps(line)}: {json.dumps(row)}" for line, row in told.items())
        TABLE.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")

    assert read_table() == told


@pytest.mark.parametrize(
    "line",
    [
        "--no-healthcheck --health-retries 1",
        "--hostname",
        "--foo",
        "-z",
        "--health-retries five",
        "--health-interval 10",
        "--memory lots",
        "--cpus many",
        "--health-cmd 'redis-cli ping'",
        "--health-retries 5\n",
        "-p 80:x",
        "-p 1.2.3:80:80",
        "-p 80-81:80-82",
        "-p 70000:80",
        "-p 80/icmp",
        "--add-host db",
        "--ulimit nofile",
        "--init=perhaps",
    ],
)
def test_refused_by_both(client: DockerClient, line: str) -> None:
    """What Windlass refuses as a mistake is one to Docker's client too."""
    assert isinstance(client.create(split_words(line)), str)
