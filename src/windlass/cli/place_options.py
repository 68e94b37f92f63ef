"""Where jobs run, as the user says it: `-P LABEL=PLACE`, and the settings of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.parser import parse_pairs
from windlass.errors import InputError, UsageError
from windlass.operations.places import check_places
from windlass.plan.places import HOST, merge_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.cli.parser import Parser
    from windlass.config.settings import Setting


def add_place_option(parser: Parser, *, otherwise: str = "") -> None:
    """Declare `-P`; `otherwise` says what counts for labels without one."""
    parser.add_argument(
        "-P",
        "--platform",
        action="append",
        default=[],
        metavar="LABEL=PLACE",
        help="where jobs with this `runs-on` label run: `host`, which is this machine, `sandbox`, "
        "`sandbox:offline`, `docker://IMAGE`, or `docker`, which is the label's own image (see "
        "`windlass images`); `*` stands for every label without a place; may be repeated"
        + otherwise,
    )


def read_place_options(texts: Sequence[str]) -> dict[str, str]:
    """Read what `-P` says.

    Raises:
        UsageError: there is no such place.
    """
    return _settle(parse_pairs("-P", texts))


def read_places(
    texts: Sequence[str], variables: Mapping[str, str], tell: Callable[[str], None]
) -> dict[str, str]:
    """Read what `-P` says, and what the user's settings say of other labels.

    `tell` gets a line where jobs run somewhere for these settings; of this machine itself the
    first run of a repository tells.

    Raises:
        UsageError: there is no such place.
        InputError: the settings cannot be understood, or name no such place.
    """
    from windlass.config.settings import find_settings, read_settings

    settings = read_settings(variables).places
    written = {label: _check(label, setting) for label, setting in settings.items()}
    options = read_place_options(texts)
    places = merge_places(written, options)
    told = {label: place for label, place in places.items() if label not in options}
    listed = [f"{label} in {place}" for label, place in told.items() if place != HOST]
    if listed:
        tell(f"from {find_settings(variables)}: jobs for {', '.join(listed)}")
    return places


def _check(label: str, setting: Setting) -> str:
    try:
        place = _settle({label: setting.value})
        check_places(place)
    except UsageError as error:
        raise InputError(f"{setting.origin}: {error.message}", hint=error.hint) from None
    return place[label]


def _settle(places: dict[str, str]) -> dict[str, str]:
    """Put the image of a label in the place of `docker`."""
    if "docker" not in places.values():
        return places
    # Imported only where it is asked for.
    from windlass.operations.images import settle_places

    return settle_places(places)
