"""Make the images in which jobs for `ubuntu-latest` and the like run in containers.

An image that is there, made by the present recipe, is left as it is. Needs Docker, mmdebstrap and a
Debian mirror; no registry.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from windlass.cli.images_list import lay_out_images
from windlass.cli.terminal import open_terminal, visible
from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.operations.images import set_up_images

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass images setup`."""
    parser.add_argument(
        "--again", action="store_true", help="make them again, to have newer packages"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Make what is missing, telling how it goes on stderr, and list what is there."""
    messages = open_terminal(sys.stderr)
    engine = Engine(find_address(os.environ))
    found = set_up_images(
        engine, note=lambda line: messages.write(f"{visible(line)}\n"), again=arguments.again
    )
    terminal = open_terminal(sys.stdout)
    terminal.write("".join(f"{line}\n" for line in lay_out_images(found)))
    return 0
