"""`options` of a container → what the daemon is told, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.differential.docker_client import essence
from tests.unit.jobs.containers.options_table import read_table

from windlass.jobs.containers.creation import Creation
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.option_table import REFUSED, known_options
from windlass.jobs.containers.options import apply_options

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "guides" / "services.md"


def translate(line: str) -> Creation:
    creation = Creation("image")
    apply_options(creation, line)
    return creation


def on_all_addresses(config: dict[str, Any]) -> dict[str, Any]:
    """Return ports as Docker's client publishes them: on all addresses, which need no name."""
    for bindings in config.get("HostConfig", {}).get("PortBindings", {}).values():
        for binding in bindings:
            if binding.get("HostIp") == "127.0.0.1":
                del binding["HostIp"]
    return config


@pytest.mark.parametrize(("line", "expected"), read_table().items(), ids=list(read_table()))
def test_options(line: str, expected: dict[str, Any]) -> None:
    """An option means to the daemon what Docker's client tells it, but for a port's address."""
    own = on_all_addresses(essence(translate(line).config))

    assert essence(own) == essence(on_all_addresses(expected))


def test_every_option_is_in_the_table() -> None:
    """Options are compared with Docker's client, but for those that stand beside the body."""
    apart = {"health-start-interval", "net-alias", "platform", "quiet"}
    lines = " ".join(read_table()).replace("=", " ").split()
    names = {option.name: option.short for option in known_options().values()}
    letters = {letter for word in lines if word[:1] == "-" != word[1:2] for letter in word[1:]}

    missing = {
        name
        for name, short in names.items()
        if f"--{name}" not in lines and not (short and short in letters)
    }
    assert missing == apart


def test_ports_are_for_this_machine_alone() -> None:
    """A port that names no address is published on the loopback address."""
    ports = translate("-p 80:80 -p 0.0.0.0:81:81").config["HostConfig"]["PortBindings"]

    assert ports["80/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "80"}]
    assert ports["81/tcp"] == [{"HostIp": "0.0.0.0", "HostPort": "81"}]


def test_what_stands_beside_the_body() -> None:
    """A container's name, its platform and its names in the network are told elsewhere."""
    creation = translate("--name box --platform linux/arm64 --network-alias a --net-alias b")

    assert (creation.name, creation.platform, creation.aliases) == (
        "box",
        "linux/arm64",
        ["a", "b"],
    )


def test_named_volumes_are_renamed() -> None:
    """A named volume is the job's own, a folder of the machine is what it is."""
    creation = Creation("image", lambda name: f"job-{name}")
    apply_options(creation, "-v data:/a -v /data:/b --mount source=data,target=/c")

    assert creation.config["HostConfig"]["Binds"] == ["job-data:/a", "/data:/b"]
    assert creation.config["HostConfig"]["Mounts"][0]["Source"] == "job-data"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--foo", "The option --foo is not known: see `docker create --help`"),
        ("-z", "The option -z is not known"),
        ("--m 1g", "The option --m is not known"),
        ("--network host", "--network cannot be given to a job's container: a job's containers"),
        ("--net=host", "The option --net cannot be given"),
        ("--env-file x", "write the variables under `env`"),
        ("--hostname", "The option --hostname needs a value"),
        ("-p", "The option -p needs a value"),
        ("--health-retries five", "does not take 'five', a whole number was expected"),
        ("--health-interval 10", "does not take '10', a duration with its unit was expected"),
        ("--memory lots", "a size such as 512m or 2g was expected"),
        ("--cpus many", "a number of processors such as 1.5 was expected"),
        ("--init=perhaps", "true or false was expected"),
        ("--health-retries 5\n", "a line break does not separate options"),
        ("--health-cmd pg_isready\n--init 10s", "'10s' is no option"),
        ("--health-cmd 'redis-cli ping'", "only double quotes hold words together"),
        ('--health-cmd "a', "A double quote is not closed in '--health-cmd \"a'"),
        ("alpine", "'alpine' is no option: only options may stand here"),
        ("-- --init", "'--' is no option"),
        ("--no-healthcheck --health-retries 1", "--no-healthcheck conflicts"),
        ("--label windlass.owner=me", "is one of Windlass's own"),
        ("--restart sometimes", "does not know 'sometimes': one of no, always"),
        ("--ulimit nofile", "wants NAME=VALUE"),
        ("--ulimit nofile=many", "wants NAME=SOFT[:HARD]"),
        ("--gpus device=0", "is known with `all` or a number"),
        ("--add-host db", "wants NAME:ADDRESS"),
        ("--security-opt seccomp=/p.json", "names a file of the machine"),
        ("--mount type=bind,propagation=x", "does not know 'propagation' here"),
        ("-p 80:x", "The port '80:x' cannot be published, 'x' is no port"),
        ("-p 1.2.3:80:80", "'1.2.3' is no IP address"),
        ("-p 80-81:80-82", "the ranges 80-81 and 80-82 are not of one length"),
        ("-p 70000:80", "'70000' is not within 0-65535"),
        ("-p 80/icmp", "the protocol 'icmp' is none of tcp, udp, sctp"),
        ("-p 8080:0", "'0' is not within 1-65535"),
        ("-v ./x:/data", "'./x' is neither an absolute path nor a volume's name"),
        ("-v /a:data", "'data' is no absolute path"),
        ("-v a:b:c:d", "it has more than three parts"),
    ],
)
def test_refused(line: str, message: str) -> None:
    """What cannot be had is refused by its name, with what to do instead."""
    with pytest.raises(ContainerFault) as refusal:
        translate(line)

    assert message in str(refusal.value)


def test_no_option_is_known_and_refused() -> None:
    """An option is in one of the two tables."""
    assert not REFUSED.keys() & known_options().keys()


def test_the_guide_names_every_option() -> None:
    """The guide says of each option whether it is known, or why it is refused."""
    text = GUIDE.read_text(encoding="utf-8")
    known = {f"`--{option.name}`" for option in known_options().values()}
    refused = {f"| `--{name}` | {why} |" for name, why in REFUSED.items() if len(name) > 1}
    listed = text.partition("Known are ")[2]

    assert {f"`--{name}`" for name in re.findall(r"`--([a-z0-9-]+)`[,. ]", listed)} >= known
    assert refused == {line for line in listed.splitlines() if line.startswith("| `")}
