"""A stage of an action that runs in a container → its image, its container, and its process.

Source: actions/runner src/Runner.Worker/Handlers/ContainerActionHandler.cs,
Container/DockerCommandManager.cs (DockerRun)
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from windlass.docker.addresses import find_address
from windlass.docker.containers import create_container, remove_container
from windlass.docker.engine import Engine
from windlass.docker.faults import RefusedError
from windlass.docker.networks import inspect_network
from windlass.errors import DockerError, UsageError
from windlass.git.folders import find_object_folders
from windlass.jobs.actions import attendant
from windlass.jobs.actions.container_folders import WORKSPACE, ContainerFolders, Mount
from windlass.jobs.actions.container_images import provide_image
from windlass.jobs.actions.container_process import ContainerProcess
from windlass.jobs.actions.javascript import input_variables, name_action
from windlass.jobs.actions.ownership import take_ownership
from windlass.jobs.command import StepError
from windlass.jobs.containers.labels import own_labels
from windlass.jobs.containers.sweeping import sweep_once
from windlass.jobs.details import describe_action
from windlass.jobs.environment import step_variables
from windlass.jobs.executors.host import HostExecutor, HostSession
from windlass.jobs.executors.interface import JobRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.jobs.place import StepPlace
    from windlass.jobs.reports import StepReporter
    from windlass.jobs.running import RunningStep
    from windlass.lang.expressions import Value
    from windlass.plan.container_actions import ContainerRun
    from windlass.plan.steps import LoadedAction, StartStep

DEFAULT_IMAGE: Final = "windlass/ubuntu-latest"
"""What `windlass images setup` makes."""

USUAL_NETWORK: Final = "bridge"
"""The network of a container that is put into none."""

_MACHINE_ONLY: Final = frozenset(
    [
        "AGENT_TOOLSDIRECTORY",
        "GIT_CEILING_DIRECTORIES",
        "HOME",
        "LANG",
        "LOGNAME",
        "PATH",
        "RUNNER_TRACKING_ID",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "USER",
    ]
)
"""What a job's processes are given that says nothing in a container."""


def start_container_stage(
    order: StartStep,
    run: ContainerRun,
    action: LoadedAction,
    contexts: Mapping[str, Value],
    place: StepPlace,
    reporter: StepReporter,
    running: RunningStep,
) -> ContainerProcess:
    """Start the container of a stage and return the process that stands for it.

    Raises:
        StepError: there is no daemon, no such image, or it cannot be built or started.
    """
    state = {f"STATE_{name}": value for name, value in order.state.items()}
    shown = {**order.variables, **state}
    is_post = order.stage == "post"
    reporter.note(describe_action(name_action(order), order.inputs, shown, is_post=is_post))
    folders = ContainerFolders(place.folders, place.inside)
    _check_visible(place)
    try:
        engine = Engine(find_address(os.environ))
        sweep_once(engine)
        image = provide_image(engine, run.image, action, place, reporter, running)
        network = find_network(contexts)
        variables = list_variables(order, run, contexts, place.base, folders)
        _offer_services(variables, engine, network, place, reporter)
        config = describe_container(
            image,
            run,
            variables,
            mounts=(*folders.mounts(), *_list_objects(place)),
            network=network,
            labels=own_labels(place.job_key),
        )
        folders.check()
        container = create_container(engine, config)
    except (DockerError, UsageError) as error:
        raise StepError("; ".join(filter(None, (error.message, error.hint)))) from error
    tidy = partial(_take_ownership, engine, image, place, reporter)
    return _attend(engine, container, order, place, tidy)


def list_variables(
    order: StartStep,
    run: ContainerRun,
    contexts: Mapping[str, Value],
    base: Mapping[str, str],
    folders: ContainerFolders,
) -> dict[str, str]:
    """Return the variables of a container; paths of the job have their names in there.

    From weakest to strongest: what this machine says about the network, what the action sets, the
    step's `env` with the action's state and inputs, then GITHUB_* and RUNNER_*. PATH and what
    GITHUB_PATH adds to it are the image's own business, as on GitHub.
    """
    own = {name: value for name, value in base.items() if name not in _MACHINE_ONLY}
    state = {f"STATE_{name}": value for name, value in order.state.items()}
    stated = {**run.variables, **order.variables, **state, **input_variables(order.inputs)}
    stated["HOME"] = str(folders.home)
    variables = step_variables(own, stated, (), contexts)
    return {name: folders.translate(value) for name, value in variables.items()}


def describe_container(
    image: str,
    run: ContainerRun,
    variables: Mapping[str, str],
    *,
    mounts: Sequence[Mount],
    network: str,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return the container as the Engine API is told of it; an empty network is the usual one.

    The daemon keeps nothing of its output: what is not masked yet does not get to a disk.
    """
    config: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "WorkingDir": WORKSPACE,
        "Labels": dict(labels),
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": {
            "Mounts": [
                {
                    "Type": "bind",
                    "Source": mount.source,
                    "Target": mount.target,
                    "ReadOnly": mount.read_only,
                }
                for mount in mounts
            ],
            "LogConfig": {"Type": "none"},
        },
    }
    if run.entrypoint:
        config["Entrypoint"] = [run.entrypoint]
    if run.arguments:
        config["Cmd"] = list(run.arguments)
    if network:
        config["HostConfig"]["NetworkMode"] = network
    return config


def find_network(contexts: Mapping[str, Value]) -> str:
    """Return the network of the job's containers, `job.container.network`; empty without one."""
    value: Any = contexts
    for key in ("job", "container", "network"):
        value = value.get(key) if hasattr(value, "get") else None
    return value if isinstance(value, str) else ""


def _offer_services(
    variables: dict[str, str],
    engine: Engine,
    network: str,
    place: StepPlace,
    reporter: StepReporter,
) -> None:
    """Add what the services of the job are found by, at this machine's address in the network.

    A daemon whose networks are not this machine's own leaves the container without them.
    """
    if place.services is None:
        return
    try:
        address = find_gateway(engine, network or USUAL_NETWORK)
        place.services.add_to_container(variables, address)
    except (RefusedError, StepError) as error:
        remark = f"No services (artifacts, caches) are there for containers: {error}"
        if remark not in place.said:
            place.said.add(remark)
            reporter.log.write_line(remark)


def find_gateway(engine: Engine, network: str) -> str:
    """Return the address by which containers in a network reach the machine of the daemon.

    Where the daemon does not say, it has taken the first address of the network.

    Raises:
        RefusedError: there is no such network.
        StepError: it has no way out.
    """
    for config in inspect_network(engine, network)["IPAM"]["Config"] or ():
        if gateway := config.get("Gateway"):
            return str(gateway)
        if subnet := config.get("Subnet"):
            return str(next(ip_network(subnet).hosts()))
    raise StepError(f"the network '{network}' has no gateway")


def _list_objects(place: StepPlace) -> tuple[Mount, ...]:
    """Return the user's Git objects, which a workspace that was checked out shares."""
    git = place.session.see(place.inside.workspace) / ".git"
    if not (git / "objects" / "info" / "alternates").exists():
        return ()
    folders = find_object_folders(place.source.folder)
    return tuple(Mount(str(folder), str(folder), read_only=True) for folder in folders)


def _check_visible(place: StepPlace) -> None:
    """Refuse where the daemon would mount another workspace than the steps see."""
    workspace = place.folders.workspace
    if not place.session.see(place.inside.workspace).samefile(workspace):
        raise StepError(
            "The workspace of this job is mounted for its own processes, and the daemon cannot "
            "see it: name the action in a step (`uses: ./path`) so that it is known beforehand, "
            "or run with --keep"
        )


def _attend(
    engine: Engine,
    container: str,
    order: StartStep,
    place: StepPlace,
    tidy: Callable[[], None],
) -> ContainerProcess:
    """Start the process that stands for a container, below the supervisor of the job on the host.

    A job that runs elsewhere gets a supervisor here for as long as the container runs.
    """
    is_here = type(place.session) is HostSession
    session = place.session if is_here else HostExecutor().open(JobRequest(key=place.job_key))
    assert isinstance(session, HostSession)  # noqa: S101 - either way
    try:
        session.guard(container, engine.address.whole)
        process = session.spawn(
            attendant.list_arguments(engine.address.whole, container),
            variables=_attendants_variables(place.base),
            folder="/",
            step=order.key,
        )
    except BaseException:
        with contextlib.suppress(DockerError):
            remove_container(engine, container)
        session.unguard(container)
        if not is_here:
            session.close()
        raise
    return ContainerProcess(process, engine, container, session, closes=not is_here, tidy=tidy)


def _take_ownership(engine: Engine, image: str, place: StepPlace, reporter: StepReporter) -> None:
    """Make this user's what the container has left in the job's folders."""
    user = os.getuid()
    if user == 0:
        return
    with contextlib.suppress(DockerError):
        if take_ownership(
            engine,
            [image, DEFAULT_IMAGE],
            [place.folders.workspace, place.folders.temp],
            user=user,
            group=os.getgid(),
            labels=own_labels(place.job_key),
        ):
            return
    reporter.annotate(
        "warning",
        "The action has left files of root in the workspace: they could not be made yours, since "
        f"neither its image nor {DEFAULT_IMAGE} has a `chown` (`windlass images setup`)",
    )


def _attendants_variables(base: Mapping[str, str]) -> dict[str, str]:
    """Return what the process needs: how the daemon is reached, and what it is found by."""
    names = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "HOME", "PATH")
    known = {name: os.environ[name] for name in names if name in os.environ}
    tracking = {name: value for name, value in base.items() if name == "RUNNER_TRACKING_ID"}
    return {**known, **tracking}
