"""The containers of a job: the one its steps run in, and those of its services.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
#jobsjob_idcontainer, actions/runner src/Runner.Worker/Container/ContainerInfo.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container as a workflow describes it, evaluated.

    `ports` are as the workflow has them: `8080:80`, `80`, `53/udp`; `volumes` as `SOURCE:TARGET` or
    `TARGET`; `options` is what `docker create` would be given. Only a service has `entrypoint` and
    `command`. `password` is a secret, and so may be the values of `env`.
    """

    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    options: str = ""
    username: str = ""
    password: str = ""
    entrypoint: str = ""
    command: str = ""
