"""List the images for labels of runners: which are made, and which by the present recipe."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from windlass.cli.prune import format_size
from windlass.cli.terminal import open_terminal
from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.operations.images import list_images

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from windlass.cli.parser import Parser
    from windlass.operations.images import LabelledImage

_SHORT_ID = 12


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass images list`."""
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")


def execute(arguments: argparse.Namespace) -> int:
    """Print the list."""
    found = list_images(Engine(find_address(os.environ)))
    lines = map(_as_json, found) if arguments.json else lay_out_images(found)
    open_terminal(sys.stdout).write("".join(f"{line}\n" for line in lines))
    return 0


def lay_out_images(images: Sequence[LabelledImage]) -> Iterator[str]:
    """Yield a line for each image: its name, how it is, for which labels it stands."""
    for image in images:
        yield f"{image.name}  {_describe(image)}  for {', '.join(image.labels) or image.purpose}"


def _describe(image: LabelledImage) -> str:
    if not image.id:
        return "not made yet; `windlass images setup` makes it"
    told = f"{image.id.removeprefix('sha256:')[:_SHORT_ID]}  {format_size(image.size)}"
    older = "made by an older recipe; `windlass images setup` makes it again"
    return told if image.is_current else f"{told}  {older}"


def _as_json(image: LabelledImage) -> str:
    return json.dumps(
        {
            "image": image.name,
            "labels": list(image.labels),
            "purpose": image.purpose,
            "id": image.id or None,
            "bytes": image.size,
            "current": image.is_current,
        }
    )
