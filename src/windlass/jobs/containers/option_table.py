"""The options of `docker create` that Windlass knows, and what each means to the Engine API.

Source: https://docs.docker.com/reference/cli/docker/container/create/, docker/cli
cli/command/container/opts.go
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from windlass.jobs.containers import option_effects as effects
from windlass.jobs.containers.option_values import (
    read_duration,
    read_flag,
    read_number,
    read_processors,
    read_size,
    read_swap,
    read_text,
)
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.jobs.containers.creation import Creation


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: how its value is read, and what it does to the container.

    `read` raises ValueError with what was expected, `apply` ContainerFault. A flag needs no value.
    """

    name: str
    apply: Callable[[Creation, Any], None]
    read: Callable[[str], Any] = read_text
    short: str = ""

    @property
    def is_flag(self) -> bool:
        """Whether the option may stand alone."""
        return self.read is read_flag


@cache
def known_options() -> Mapping[str, Option]:
    """Return the options by what they are called, short and long, without dashes."""
    options = (*_limits(), *_process(), *_network(), *_storage(), *_health(), *_isolation())
    by_name = {option.name: option for option in options}
    return by_name | {option.short: option for option in options if option.short}


REFUSED: Final[Mapping[str, str]] = {
    "network": "a job's containers share the job's network, as on GitHub",
    "net": "a job's containers share the job's network, as on GitHub",
    "ip": "addresses in the job's network are given by the daemon; use the service's name",
    "ip6": "addresses in the job's network are given by the daemon; use the service's name",
    "link": "the services of a job reach each other by their names",
    "link-local-ip": "addresses in the job's network are given by the daemon",
    "env-file": "write the variables under `env`",
    "label-file": "write the labels as `--label NAME=VALUE`",
    "cidfile": "read `job.container.id` or `job.services.NAME.id`",
    "attach": "a job's containers run by themselves; what they print is in the job's log",
    "a": "a job's containers run by themselves; what they print is in the job's log",
    "help": "it would print a text and make no container",
    "isolation": "it is for Windows",
    "kernel-memory": "current kernels do not have it; use --memory",
    "volumes-from": "give both services the same named volume under `volumes`",
    "device-read-bps": "only --blkio-weight is passed on",
    "device-read-iops": "only --blkio-weight is passed on",
    "device-write-bps": "only --blkio-weight is passed on",
    "device-write-iops": "only --blkio-weight is passed on",
    "blkio-weight-device": "only --blkio-weight is passed on",
    "volume-driver": "volumes of a job are the daemon's own and removed with it",
    "use-api-socket": "a job has no access to the daemon that runs its containers",
}
"""Options that `docker create` has and a job's container cannot have, with what to do instead."""


def _limits() -> tuple[Option, ...]:
    return (
        Option(name="blkio-weight", read=read_number, apply=_put("HostConfig.BlkioWeight")),
        Option(name="cpu-period", read=read_number, apply=_put("HostConfig.CpuPeriod")),
        Option(name="cpu-quota", read=read_number, apply=_put("HostConfig.CpuQuota")),
        Option(name="cpu-rt-period", read=read_number, apply=_put("HostConfig.CpuRealtimePeriod")),
        Option(
            name="cpu-rt-runtime", read=read_number, apply=_put("HostConfig.CpuRealtimeRuntime")
        ),
        Option(name="cpu-shares", short="c", read=read_number, apply=_put("HostConfig.CpuShares")),
        Option(name="cpus", read=read_processors, apply=_put("HostConfig.NanoCpus")),
        Option(name="cpuset-cpus", apply=_put("HostConfig.CpusetCpus")),
        Option(name="cpuset-mems", apply=_put("HostConfig.CpusetMems")),
        Option(name="gpus", apply=effects.ask_for_gpus),
        Option(name="memory", short="m", read=read_size, apply=_put("HostConfig.Memory")),
        Option(
            name="memory-reservation", read=read_size, apply=_put("HostConfig.MemoryReservation")
        ),
        Option(name="memory-swap", read=read_swap, apply=_put("HostConfig.MemorySwap")),
        Option(
            name="memory-swappiness", read=read_number, apply=_put("HostConfig.MemorySwappiness")
        ),
        Option(name="oom-kill-disable", read=read_flag, apply=_put("HostConfig.OomKillDisable")),
        Option(name="oom-score-adj", read=read_number, apply=_put("HostConfig.OomScoreAdj")),
        Option(name="pids-limit", read=read_number, apply=_put("HostConfig.PidsLimit")),
        Option(name="shm-size", read=read_size, apply=_put("HostConfig.ShmSize")),
        Option(name="ulimit", apply=effects.add_limit),
    )


def _process() -> tuple[Option, ...]:
    return (
        Option(name="entrypoint", apply=effects.set_entry_point),
        Option(name="env", short="e", apply=effects.add_variable),
        Option(name="init", read=read_flag, apply=_put("HostConfig.Init")),
        Option(name="interactive", short="i", read=read_flag, apply=_put("OpenStdin")),
        Option(name="label", short="l", apply=effects.add_label),
        Option(name="log-driver", apply=_put("HostConfig.LogConfig.Type")),
        Option(name="log-opt", apply=_enter("HostConfig.LogConfig.Config", "log-opt")),
        Option(name="name", apply=effects.set_name),
        Option(name="platform", apply=effects.set_platform),
        Option(name="restart", apply=effects.set_restarts),
        Option(name="rm", read=read_flag, apply=_put("HostConfig.AutoRemove")),
        Option(name="stop-signal", apply=_put("StopSignal")),
        Option(name="stop-timeout", read=read_number, apply=_put("StopTimeout")),
        Option(name="tty", short="t", read=read_flag, apply=_put("Tty")),
        Option(name="user", short="u", apply=_put("User")),
        Option(name="workdir", short="w", apply=_put("WorkingDir")),
        # The image has been pulled by then, and nothing is printed while it is made.
        Option(name="pull", apply=_ignore),
        Option(name="quiet", short="q", read=read_flag, apply=_ignore),
        Option(name="disable-content-trust", read=read_flag, apply=_ignore),
    )


def _network() -> tuple[Option, ...]:
    return (
        Option(name="add-host", apply=effects.add_host),
        Option(name="dns", apply=_add("HostConfig.Dns")),
        Option(name="dns-option", apply=_add("HostConfig.DnsOptions")),
        Option(name="dns-opt", apply=_add("HostConfig.DnsOptions")),
        Option(name="dns-search", apply=_add("HostConfig.DnsSearch")),
        Option(name="domainname", apply=_put("Domainname")),
        Option(name="expose", apply=effects.expose),
        Option(name="hostname", short="h", apply=_put("Hostname")),
        Option(name="mac-address", apply=_put("MacAddress")),
        Option(name="network-alias", apply=effects.add_alias),
        Option(name="net-alias", apply=effects.add_alias),
        Option(name="publish", short="p", apply=effects.publish),
        Option(
            name="publish-all", short="P", read=read_flag, apply=_put("HostConfig.PublishAllPorts")
        ),
    )


def _storage() -> tuple[Option, ...]:
    return (
        Option(name="device", apply=effects.add_device),
        Option(name="device-cgroup-rule", apply=_add("HostConfig.DeviceCgroupRules")),
        Option(name="mount", apply=effects.add_mount),
        Option(name="read-only", read=read_flag, apply=_put("HostConfig.ReadonlyRootfs")),
        Option(name="storage-opt", apply=_enter("HostConfig.StorageOpt", "storage-opt")),
        Option(name="tmpfs", apply=effects.add_temporary),
        Option(name="volume", short="v", apply=effects.add_volume),
    )


def _health() -> tuple[Option, ...]:
    return (
        Option(name="health-cmd", apply=effects.set_health_command),
        Option(name="health-interval", read=read_duration, apply=_put("Healthcheck.Interval")),
        Option(name="health-retries", read=read_number, apply=_put("Healthcheck.Retries")),
        Option(
            name="health-start-period", read=read_duration, apply=_put("Healthcheck.StartPeriod")
        ),
        Option(
            name="health-start-interval",
            read=read_duration,
            apply=_put("Healthcheck.StartInterval"),
        ),
        Option(name="health-timeout", read=read_duration, apply=_put("Healthcheck.Timeout")),
        Option(name="no-healthcheck", read=read_flag, apply=effects.drop_health_check),
    )


def _isolation() -> tuple[Option, ...]:
    return (
        Option(name="cap-add", apply=_add("HostConfig.CapAdd")),
        Option(name="cap-drop", apply=_add("HostConfig.CapDrop")),
        Option(name="cgroup-parent", apply=_put("HostConfig.CgroupParent")),
        Option(name="cgroupns", apply=_put("HostConfig.CgroupnsMode")),
        Option(name="group-add", apply=_add("HostConfig.GroupAdd")),
        Option(name="ipc", apply=_put("HostConfig.IpcMode")),
        Option(name="pid", apply=_put("HostConfig.PidMode")),
        Option(name="privileged", read=read_flag, apply=_put("HostConfig.Privileged")),
        Option(name="runtime", apply=_put("HostConfig.Runtime")),
        Option(name="security-opt", apply=effects.add_security_option),
        Option(name="sysctl", apply=_enter("HostConfig.Sysctls", "sysctl")),
        Option(name="userns", apply=_put("HostConfig.UsernsMode")),
        Option(name="uts", apply=_put("HostConfig.UTSMode")),
    )


def _put(path: str) -> Callable[[Creation, Any], None]:
    return lambda creation, value: creation.put(path, value)


def _add(path: str) -> Callable[[Creation, Any], None]:
    return lambda creation, value: creation.add(path, value)


def _enter(path: str, option: str) -> Callable[[Creation, str], None]:
    """Let an option set entries of a mapping: `NAME=VALUE`."""

    def apply(creation: Creation, text: str) -> None:
        creation.enter(path, *effects.take_pair(option, text))

    return apply


def _ignore(_creation: Creation, _value: object) -> None:
    """Do nothing: the option is without effect here."""
