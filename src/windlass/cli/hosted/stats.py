"""Show how workflows of a server did in their latest runs, each in a line.

So many runs have ended; that part of those not cancelled succeeded, and so long those took on
average; so many warnings and errors were told; of the commits that were run more than once, that
part had the same result each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import ask
from windlass.cli.hosted.tables import add_json_option, print_list
from windlass.cli.servers import add_server_option

if TYPE_CHECKING:
    from windlass.cli.parser import Parser
    from windlass.protocol.api.statistics import WorkflowStatistics


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass stats`."""
    parser.add_argument(
        "-R", "--repository", metavar="OWNER/NAME", help="of this repository; default: of all"
    )
    parser.add_argument(
        "--workflow", metavar="FILE", help="of this workflow of the repository: ci.yml"
    )
    parser.add_argument("--branch", metavar="BRANCH", help="of this branch of the repository")
    parser.add_argument(
        "--last", type=int, metavar="N", help="among so many of the newest runs; default: 100"
    )
    add_json_option(parser)
    add_server_option(parser)


def execute(arguments: Any) -> int:
    """Print them."""
    from windlass.protocol.api import statistics as api

    found = ask(
        arguments,
        api.SHOW,
        repository=arguments.repository,
        workflow=arguments.workflow,
        branch=arguments.branch,
        last=arguments.last,
    )
    print_list(found.items, _describe, as_json=arguments.json, none="no run has ended yet")
    return 0


def _describe(it: WorkflowStatistics) -> tuple[str, ...]:
    seconds = it.average_seconds
    return (
        it.repository,
        it.path.rpartition("/")[2],
        f"runs {it.runs}",
        f"success {_write_rate(it.success_rate)}",
        "average -" if seconds is None else f"average {seconds:.1f} s",
        f"warnings {it.warnings}",
        f"errors {it.errors}",
        f"reproducible {_write_rate(it.reproducibility)}",
    )


def _write_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.0%}"
