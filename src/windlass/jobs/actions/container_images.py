"""The images of actions in containers: pulled, or built once for the same content.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs, ActionManager.cs
(PullActionContainerAsync, BuildActionContainerAsync)
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.docker.faults import DaemonGoneError, RefusedError
from windlass.docker.images import build_image, inspect_image
from windlass.jobs.actions.build_contexts import read_blocks, write_context
from windlass.jobs.command import StepError
from windlass.jobs.containers.pulling import fetch_image
from windlass.jobs.executors.host import HostSession
from windlass.jobs.files import UnusableFileError
from windlass.jobs.patience import StartCancelledError
from windlass.plan.container_actions import IMAGE_PREFIX, is_dockerfile, is_image
from windlass.plan.containers import Container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.docker.engine import Engine
    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.running import RunningStep
    from windlass.plan.steps import LoadedAction

BUILT_NAME: Final = "windlass/action"
"""The repository of images that are built from Dockerfiles; the tag is made of the content."""

BUILT_LABEL: Final = "windlass.action"
"""The label of such an image: what the Dockerfile was called."""

_DIGEST_LENGTH: Final = 32
_ENDED: Final = "The step was ended before its image was there."


def provide_image(
    engine: Engine,
    image: str,
    action: LoadedAction,
    place: StepPlace,
    reporter: StepReporter,
    running: RunningStep,
) -> str:
    """Return the image an action names, pulled or built where it is not on the machine.

    Raises:
        StepError: the action names neither an image nor a Dockerfile that is there, or its image
            cannot be built, or the step is to end.
        DockerError: the image cannot be pulled.
    """
    if is_image(image):
        with _ending(engine, running):
            return _provide_named(engine, image[len(IMAGE_PREFIX) :], reporter, running)
    if not is_dockerfile(image):
        raise StepError(
            f"'{image}' should be either '[path]/Dockerfile' or 'docker://image[:tag]'."
        )
    path = os.path.join(action.folder, image)  # noqa: PTH118 - as the runner joins them
    seen = place.session.see(Path(path))
    if not seen.is_file():
        raise StepError(f"File not found: '{path}'")
    if not _lies_in(place.folders.root, seen.parent) and type(place.session) is not HostSession:
        raise StepError(f"The folder of '{path}' leads out of the job.")
    with _ending(engine, running):
        return _provide_built(engine, seen, path, reporter)


def _lies_in(root: Path, folder: Path) -> bool:
    """Tell whether a folder is one of the job, links followed: others are not the job's to read."""
    return folder.resolve().is_relative_to(root.resolve())


def _provide_named(engine: Engine, name: str, reporter: StepReporter, running: RunningStep) -> str:
    if inspect_image(engine, name) is None:
        reporter.note([f"##[group]Pull down action image '{name}'"])
        try:
            fetch_image(
                engine,
                Container(image=name),
                note=lambda line: reporter.note([line]),
                pause=lambda seconds: _pause(seconds, running),
            )
        finally:
            reporter.note(["##[endgroup]"])
    return name


def _pause(seconds: float, running: RunningStep) -> bool:
    time.sleep(seconds)
    return running.cancelled or running.timed_out


def _provide_built(engine: Engine, dockerfile: Path, path: str, reporter: StepReporter) -> str:
    """Return the image of a Dockerfile and its folder; what was built once is not built again."""
    with tempfile.TemporaryFile() as context:
        try:
            digest = write_context(dockerfile.parent, dockerfile.name, context)
        except UnusableFileError as error:
            raise StepError(f"The folder of '{path}' cannot be built: {error}") from error
        name = f"{BUILT_NAME}:{digest[:_DIGEST_LENGTH]}"
        if inspect_image(engine, name) is not None:
            return name
        reporter.note(["##[group]Building docker image", f"Dockerfile for action: '{path}'."])
        try:
            build_image(
                engine,
                read_blocks(context),
                tag=name,
                dockerfile=dockerfile.name,
                labels={BUILT_LABEL: path},
                note=lambda line: reporter.note([line]),
            )
        except RefusedError as error:
            hint = f"; {error.hint}" if error.hint else ""
            raise StepError(f"Docker build failed: {error.message}{hint}") from error
        finally:
            reporter.note(["##[endgroup]"])
    return name


@contextlib.contextmanager
def _ending(engine: Engine, running: RunningStep) -> Iterator[None]:
    """Let the step be ended while its image is made: the daemon then gives it up."""
    running.attach(_Preparation(engine))
    try:
        yield
    except (RefusedError, DaemonGoneError, StepError, StartCancelledError) as error:
        if running.cancelled or running.timed_out:
            raise StepError(_ENDED) from error
        raise
    finally:
        running.detach()
    if running.cancelled or running.timed_out:
        raise StepError(_ENDED)


class _Preparation:
    """Stands for a process to whoever ends the step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def interrupt(self) -> None:
        """End it at once: nothing is lost by that."""
        self._engine.hang_up()

    terminate = kill = interrupt
