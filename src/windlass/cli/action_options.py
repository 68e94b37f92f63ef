"""The options that say where actions of other repositories are taken from."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.directory import add_directory_option
from windlass.cli.parser import parse_pairs
from windlass.errors import UsageError
from windlass.model.action_sources import ActionSources

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from windlass.cli.parser import Parser

URLS_VARIABLE: Final = "WINDLASS_ACTION_URLS"
BUILT_IN: Final = "actions/checkout"
_REPOSITORY: Final = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:@\S+)?"
_PASSWORD: Final = r"\w+://[^/@:]*:[^/@]*@"


def add_source_options(parser: Parser) -> None:
    """Declare `--action-url` and `--offline`."""
    parser.add_argument(
        "--action-url",
        action="append",
        default=[],
        metavar="URL",
        help="where repositories of actions are looked for, below which are OWNER/NAME: a server, "
        f"`git@host:`, a folder; may be repeated, the first one that has it answers; default: "
        f"{URLS_VARIABLE}, else the repository's own server and https://github.com",
    )
    parser.add_argument(
        "--offline", action="store_true", help="take actions as they were fetched before"
    )


def add_lock_options(parser: Parser) -> None:
    """Declare what all commands of `windlass actions` take."""
    add_directory_option(parser)
    add_source_options(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def read_sources(arguments: argparse.Namespace, folders: Sequence[str]) -> ActionSources:
    """Gather what the options say; `folders` are the values `OWNER/NAME=FOLDER`.

    Raises UsageError for a repository, a folder or a URL that is none.
    """
    urls = arguments.action_url or os.environ.get(URLS_VARIABLE, "").split()
    for url in urls:
        _check_url(url)
    return ActionSources(
        folders={
            _check_name(name): _check_folder(name, folder)
            for name, folder in parse_pairs("--action", folders).items()
        },
        urls=tuple(urls),
        offline=arguments.offline,
    )


def _check_url(url: str) -> None:
    if url.startswith("-") or "::" in url:
        raise UsageError(f"{url!r} is no beginning of a URL", hint="such as https://github.com")
    if re.match(_PASSWORD, url):
        raise UsageError(
            "a URL of actions has a password in it, which others could read",
            hint="let one of Git's credential helpers keep it: git help credentials",
        )


def _check_name(name: str) -> str:
    if name.partition("@")[0].lower() == BUILT_IN:
        raise UsageError(
            f"--action {name}: {BUILT_IN} is built in, and no folder can stand in for it"
        )
    if re.fullmatch(_REPOSITORY, name):
        return name
    raise UsageError(
        f"--action {name!r} is not OWNER/NAME", hint="for instance: --action actions/cache=../cache"
    )


def _check_folder(name: str, folder: str) -> str:
    path = Path(folder).expanduser().absolute()
    if not path.is_dir():
        raise UsageError(f"--action {name}: {folder} is not a folder")
    return str(path)
