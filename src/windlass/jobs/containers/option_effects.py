"""What those options of `docker create` do whose values have a form of their own.

Source: docker/cli opts/ (mount.go, ulimit.go, ...), cli/command/container/opts.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.volumes import mount_volume

if TYPE_CHECKING:
    from windlass.jobs.containers.creation import Creation

OWN_LABELS: Final = "windlass."
_RESTARTS: Final = ("no", "always", "on-failure", "unless-stopped")
_MOUNT_KEYS: Final = {
    "type": "Type", "source": "Source", "src": "Source",
    "target": "Target", "dst": "Target", "destination": "Target",
    "readonly": "ReadOnly", "ro": "ReadOnly",
}  # fmt: skip


def take_pair(option: str, text: str) -> tuple[str, str]:
    """Return the two halves of `NAME=VALUE`.

    Raises:
        ContainerFault: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ContainerFault(f"The option --{option} wants NAME=VALUE, and '{text}' is none")
    return name, value


def set_entry_point(creation: Creation, text: str) -> None:
    """Replace the image's entry point; an empty one is the image's."""
    creation.put("Entrypoint", [text] if text else [""])


def add_variable(creation: Creation, text: str) -> None:
    """Set a variable; one without a value is unset, since nothing comes from the user's own."""
    creation.add("Env", text)


def add_label(creation: Creation, text: str) -> None:
    """Add a label; those by which Windlass finds its containers are not to be touched."""
    name, _, value = text.partition("=")
    if name.startswith(OWN_LABELS):
        raise ContainerFault(f"The label '{name}' is one of Windlass's own")
    creation.enter("Labels", name, value)


def set_name(creation: Creation, text: str) -> None:
    """Name the container."""
    creation.name = text


def set_platform(creation: Creation, text: str) -> None:
    """Choose among the platforms of an image."""
    creation.platform = text


def set_restarts(creation: Creation, text: str) -> None:
    """Say when the container is started again: `no`, `always`, `on-failure[:TIMES]`."""
    name, _, times = text.partition(":")
    if name not in _RESTARTS or (times and not times.isdecimal()):
        raise ContainerFault(
            f"The option --restart does not know '{text}'", hint=f"one of {', '.join(_RESTARTS)}"
        )
    creation.put("HostConfig.RestartPolicy", {"Name": name, "MaximumRetryCount": int(times or 0)})


def add_limit(creation: Creation, text: str) -> None:
    """Set a resource limit: `NAME=SOFT[:HARD]`."""
    name, value = take_pair("ulimit", text)
    soft, _, hard = value.partition(":")
    try:
        limit = {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}
    except ValueError:
        raise ContainerFault(f"The option --ulimit wants NAME=SOFT[:HARD], not '{text}'") from None
    creation.add("HostConfig.Ulimits", limit)


def ask_for_gpus(creation: Creation, text: str) -> None:
    """Ask for all graphics processors, or for a number of them."""
    count = text.removeprefix("count=")
    if count != "all" and not count.isdecimal():
        raise ContainerFault(f"The option --gpus is known with `all` or a number, not '{text}'")
    request = {"Count": -1 if count == "all" else int(count), "Capabilities": [["gpu"]]}
    creation.add("HostConfig.DeviceRequests", request)


def add_host(creation: Creation, text: str) -> None:
    """Add a name to /etc/hosts: `NAME:ADDRESS` or `NAME=ADDRESS`."""
    at = min((place for place in (text.find(":"), text.find("=")) if place > 0), default=0)
    if not at or not text[at + 1 :]:
        raise ContainerFault(f"The option --add-host wants NAME:ADDRESS, and '{text}' is none")
    creation.add("HostConfig.ExtraHosts", f"{text[:at]}:{text[at + 1 :]}")


def expose(creation: Creation, text: str) -> None:
    """Declare a port, which --publish-all publishes."""
    port, _, protocol = text.partition("/")
    creation.enter("ExposedPorts", f"{port}/{protocol or 'tcp'}", {})


def add_alias(creation: Creation, text: str) -> None:
    """Give the container one more name in the job's network."""
    creation.aliases.append(text)


def publish(creation: Creation, text: str) -> None:
    """Publish a port as `ports` does."""
    creation.publish(text)


def add_volume(creation: Creation, text: str) -> None:
    """Mount a volume as `volumes` does."""
    mount_volume(creation, text)


def add_temporary(creation: Creation, text: str) -> None:
    """Mount a file system in memory: `PATH[:OPTIONS]`."""
    path, _, options = text.partition(":")
    creation.enter("HostConfig.Tmpfs", path, options)


def add_device(creation: Creation, text: str) -> None:
    """Add a device of the machine: `PATH[:PATH WITHIN[:PERMISSIONS]]`."""
    parts = text.split(":")
    permissions = parts.pop() if len(parts) > 1 and set(parts[-1]) <= set("rwm") else "rwm"
    device = {
        "PathOnHost": parts[0],
        "PathInContainer": parts[-1],
        "CgroupPermissions": permissions,
    }
    creation.add("HostConfig.Devices", device)


def add_security_option(creation: Creation, text: str) -> None:
    """Set a security option; not a seccomp profile in a file: the daemon would want its text."""
    name, _, value = text.replace(":", "=", 1).partition("=")
    if name == "seccomp" and value not in ("unconfined", "builtin"):
        raise ContainerFault(
            f"The option --security-opt {text} names a file of the machine",
            hint="seccomp=unconfined and seccomp=builtin are passed on",
        )
    creation.add("HostConfig.SecurityOpt", text)


def add_mount(creation: Creation, text: str) -> None:
    """Mount something: `type=bind|volume|tmpfs,source=…,target=…[,readonly]`."""
    mount: dict[str, Any] = {"Type": "volume"}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        name = _MOUNT_KEYS.get(key.strip().lower())
        if name is None:
            raise ContainerFault(
                f"The option --mount does not know '{key}' here",
                hint=f"known are {', '.join(_MOUNT_KEYS)}",
            )
        mount[name] = (not equals or value in ("1", "true")) if name == "ReadOnly" else value
    if mount["Type"] == "volume" and mount.get("Source"):
        mount["Source"] = creation.rename_volume(mount["Source"])
    creation.add("HostConfig.Mounts", mount)


def set_health_command(creation: Creation, text: str) -> None:
    """Let a shell of the container tell whether it is healthy."""
    creation.put("Healthcheck.Test", ["CMD-SHELL", text])


def drop_health_check(creation: Creation, value: bool) -> None:  # noqa: FBT001 (an option's value)
    """Leave out the image's own health check."""
    if value:
        creation.put("Healthcheck.Test", ["NONE"])
