"""The options that `windlass run` and `windlass plan` share: which event, which jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.cli.action_options import add_source_options, read_sources
from windlass.cli.directory import add_directory_option
from windlass.cli.parser import parse_pairs
from windlass.cli.place_options import add_place_option, read_places
from windlass.errors import InputError
from windlass.operations.plans import PlanOptions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from windlass.cli.parser import Parser

MOST_EVENT_BYTES = 25 * 1024 * 1024
"""GitHub delivers no larger payloads.
Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
"""


def add_event_options(parser: Parser) -> None:
    """Declare the shared arguments."""
    parser.add_argument(
        "event", nargs="?", default="push", metavar="EVENT", help="the GitHub event; default: push"
    )
    add_directory_option(parser)
    parser.add_argument(
        "-W",
        "--workflows",
        type=Path,
        metavar="FILE|DIR",
        help="one workflow file, or a folder of them; default: .github/workflows",
    )
    parser.add_argument("-j", "--job", metavar="JOB", help="only this job, and what it needs")
    _add_pairs(parser, "--matrix", "K=V", "only the legs of a matrix that have this value")
    _add_pairs(parser, "--input", "K=V", "an input of workflow_dispatch")
    _add_pairs(parser, "--var", "K=V", "a variable of the `vars` context")
    parser.add_argument(
        "--event-file",
        type=Path,
        metavar="FILE",
        help="JSON that is laid over the ready-made payload of the event",
    )
    parser.add_argument(
        "--action",
        action="append",
        default=[],
        metavar="TYPE|OWNER/NAME=FOLDER",
        help="the event's activity type: opened, …; or a folder that stands in for the repository "
        "of an action, OWNER/NAME@REF=FOLDER for one of its refs: may be repeated",
    )
    add_source_options(parser)
    add_place_option(parser)
    parser.add_argument(
        "--base", metavar="REF", help="what the commit is compared with, for filters by path"
    )


def _add_pairs(parser: Parser, option: str, metavar: str, meaning: str) -> None:
    parser.add_argument(
        option, action="append", default=[], metavar=metavar, help=f"{meaning}; may be repeated"
    )


def read_plan_options(
    arguments: argparse.Namespace, tell: Callable[[str], None] = lambda _: None
) -> PlanOptions:
    """Gather what the shared options say, and the user's settings; `tell` hears of these.

    Raises UsageError for a pair that is none, InputError for an event file that is no JSON object.
    """
    return PlanOptions(
        workflows=arguments.workflows,
        job=arguments.job,
        matrix=parse_pairs("--matrix", arguments.matrix),
        inputs=parse_pairs("--input", arguments.input),
        variables=parse_pairs("--var", arguments.var),
        action=_read_activity(arguments.action),
        base=arguments.base,
        places=read_places(arguments.platform, os.environ, tell),
        payload=read_payload(arguments.event_file) if arguments.event_file else {},
        sources=read_sources(arguments, [it for it in arguments.action if "=" in it]),
    )


def _read_activity(texts: Sequence[str]) -> str | None:
    """Return the activity type among the values of `--action`: the last one without `=`."""
    return next((text for text in reversed(texts) if "=" not in text), None)


def read_payload(path: Path) -> dict[str, Any]:
    """Read an event file.

    Raises InputError, with line and column, where it is no JSON object.
    """
    from json import JSONDecodeError

    from windlass.lang.expressions import read_json

    hint = 'an event file holds a JSON object such as {"pull_request": {"draft": true}}'
    if path.is_file() and path.stat().st_size > MOST_EVENT_BYTES:
        raise InputError(f"{path}: larger than 25 MiB, the largest payload GitHub delivers")
    try:
        payload = read_json(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})", hint=hint) from None
    except JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise InputError(f"{place}: not JSON: {error.msg}", hint=hint) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise InputError(f"{path}: not JSON: {reason}", hint=hint) from None
    if not isinstance(payload, dict):
        raise InputError(f"{path}: a JSON object was expected", hint=hint)
    return payload
