"""List, print or copy what a job has left in its workspace, in a run with `--keep`.

Without PATH, and for a folder, the files are listed; a file is printed. `-o` copies instead.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option
from windlass.cli.history_options import entered_history
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import UsageError
from windlass.operations.kept_files import copy_out, find_file, find_workspace, list_files

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass files`."""
    parser.add_argument(
        "run", metavar="RUN", help="a run's id, its beginning or its end, or `latest`"
    )
    parser.add_argument("job", metavar="JOB", help="the job's key, as `windlass show` says it")
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="a file or folder of the workspace"
    )
    add_directory_option(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DEST", help="copy to DEST, which must be new"
    )
    parser.add_argument("--json", action="store_true", help="list files as JSON objects")


def execute(arguments: argparse.Namespace) -> int:
    """List, print or copy."""
    with entered_history(arguments) as history:
        attempts = history.attempts(history.find(arguments.run).row.run.id)
        workspace = find_workspace(history, attempts, arguments.job)
    path = find_file(workspace, arguments.path)
    if arguments.output is not None:
        copy_out(path, arguments.output)
    elif path.is_dir():
        _list(path, as_json=arguments.json)
    elif path.is_file():
        _print(path)
    else:
        raise UsageError(f"{arguments.path} is no file that can be printed", hint="-o copies it")
    return 0


def _list(folder: Path, *, as_json: bool) -> None:
    terminal = open_terminal(sys.stdout)
    for name in list_files(folder):
        if as_json:
            size = (folder / name).lstat().st_size
            terminal.write(json.dumps({"path": name, "bytes": size}) + "\n")
        else:
            terminal.write(f"{visible(name) if terminal.is_live else name}\n")


def _print(path: Path) -> None:
    """Write a file to stdout as it is."""
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
