"""Images of a job's containers: those on the machine, else from their registry.

Source: actions/runner src/Runner.Worker/ContainerOperationProvider.cs (StartContainerAsync)
"""

from __future__ import annotations

import contextlib
import random
import threading
from typing import TYPE_CHECKING, Final

from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.docker.images import Credentials, inspect_image, pull_image
from windlass.jobs.patience import StartCancelledError
from windlass.plan.containers import registry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.docker.engine import Engine
    from windlass.plan.containers import Container

MADE_HERE: Final = "windlass/"
"""How the names of images begin that Windlass makes; a registry's of such a name are not ours."""

_TRIES: Final = 3
_WATCH_SECONDS: Final = 0.05
_LASTING: Final = (
    "not found", "denied", "unauthorized", "no basic auth", "manifest unknown", "invalid",
    "no such host", "does not match", "no matching manifest",
)  # fmt: skip


def fetch_image(
    engine: Engine,
    container: Container,
    platform: str | None = None,
    *,
    note: Callable[[str], None],
    pause: Callable[[float], bool],
) -> None:
    """Have a container's image on the machine.

    GitHub's runner pulls each time; here an image that is there is taken as it is, so that a job
    runs without a network, and an image that was built here is one to be used.

    Raises:
        RefusedError: there is no such image, it may not be pulled, or the registry refused.
        StartCancelledError: the job is to end.
    """
    if inspect_image(engine, container.image) is not None:
        note(f"The image {container.image} is on this machine.")
        return
    _refuse_our_own(container.image)

    note(f"Pulling {container.image}")
    for attempt in range(1, _TRIES + 1):
        try:
            with _giving_up(engine, pause):
                _pull(engine, container, platform, note)
        except RefusedError as error:
            if attempt == _TRIES or _lasts(error):
                raise
            _back_off(error, note, pause)
        else:
            return


@contextlib.contextmanager
def _giving_up(engine: Engine, pause: Callable[[float], bool]) -> Iterator[None]:
    """Hang up once the job is to end, however long the registry is silent: the daemon then stops.

    Raises:
        StartCancelledError: the job is to end.
    """
    if pause(0):
        raise StartCancelledError
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(_WATCH_SECONDS):
            if pause(0):
                engine.hang_up()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except (RefusedError, DaemonGoneError) as error:
        if pause(0):
            raise StartCancelledError from error
        raise
    finally:
        is_over.set()
        watcher.join()
    if pause(0):
        raise StartCancelledError


def _refuse_our_own(image: str) -> None:
    """Take no image from a registry under a name that only this machine gives.

    Raises:
        RefusedError: it is such a name.
    """
    if image.startswith(MADE_HERE):
        raise RefusedError(
            f"The image {image} has not been made on this machine",
            hint="`windlass images setup` makes it; no registry has it",
        )


def _pull(
    engine: Engine, container: Container, platform: str | None, note: Callable[[str], None]
) -> None:
    credentials = _credentials(container)
    pull_image(engine, container.image, credentials=credentials, platform=platform, note=note)


def _back_off(
    error: RefusedError, note: Callable[[str], None], pause: Callable[[float], bool]
) -> None:
    """Wait as long as the runner does before it tries again."""
    seconds = random.uniform(1, 10)  # noqa: S311 (nothing is kept secret by it)
    note(
        f"##[warning]Docker pull failed: {error.message}, "
        f"back off {seconds:.1f} seconds before retry."
    )
    if pause(seconds):
        raise StartCancelledError from None


def _credentials(container: Container) -> Credentials | None:
    """Return who pulls; half of them is nobody, as in the runner."""
    if not (container.username and container.password):
        return None
    server = registry_of(container.image)
    return Credentials(container.username, container.password, server)


def _lasts(error: RefusedError) -> bool:
    """Tell whether another try would end the same."""
    text = error.message.lower()
    return error.is_missing or any(part in text for part in _LASTING)
