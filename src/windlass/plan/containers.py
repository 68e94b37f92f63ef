"""The containers of a job: the one its steps run in, and those of its services.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
#jobsjob_idcontainer, actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs
(ConvertToJobContainer), src/Runner.Worker/Container/ContainerInfo.cs, JobExtension.cs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from windlass.lang.expressions import kind_of, to_text
from windlass.lang.tokens import MappingToken, NullToken
from windlass.model.values import dataclass, field, replace
from windlass.plan.faults import PlanFault
from windlass.plan.job_contexts import JobContexts
from windlass.plan.keys import evaluate_value

if TYPE_CHECKING:
    from windlass.lang.expressions import Value
    from windlass.lang.positions import Span
    from windlass.lang.tokens import Token
    from windlass.plan.keys import Scope
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOpened

_PREFIX: Final = "docker://"
_COMMON_KEYS: Final = frozenset(["image", "options", "env", "ports", "volumes", "credentials"])
_SERVICE_KEYS: Final = _COMMON_KEYS | {"entrypoint", "command"}
_CREDENTIAL_KEYS: Final = frozenset(["username", "password"])
_TOKEN_REGISTRIES: Final = frozenset(["ghcr.io", "containers.pkg.github.com"])


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
    password: str = field(default="", repr=False)
    entrypoint: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContainers:
    """What a job runs in and beside; `without_image` names services that are not to be started."""

    container: Container | None = None
    services: Mapping[str, Container] = field(default_factory=dict)
    without_image: tuple[str, ...] = ()


def evaluate_containers(
    order: StartJob, secrets: Mapping[str, str], opened: JobOpened
) -> JobContainers | PlanFault:
    """Return a job's containers, evaluated after the job's variables and before all else.

    `opened` is what the machine knows before there are containers; its paths are those outside.
    """
    if order.job.container is None and order.job.services is None:
        return JobContainers()
    scope = JobContexts(order, secrets, {}).enter(opened)
    if isinstance(scope, PlanFault):
        return scope
    container = evaluate_container(order.job.container, scope)
    services = evaluate_services(order.job.services, scope)
    if isinstance(container, PlanFault):
        return container
    if isinstance(services, PlanFault):
        return services
    return JobContainers(
        container=container,
        services={name: service for name, service in services.items() if service is not None},
        without_image=tuple(name for name, service in services.items() if service is None),
    )


def evaluate_container(token: Token | None, scope: Scope) -> Container | PlanFault | None:
    """Return what `container:` says; None where there is none, or its image is empty."""
    if token is None or isinstance(token, NullToken):
        return None
    value = evaluate_value(token, scope)
    if isinstance(value, PlanFault):
        return value
    try:
        return _sign_in(_container(value, token, _COMMON_KEYS), scope)
    except _UnexpectedValueError as error:
        return error.fault


def evaluate_services(token: Token | None, scope: Scope) -> dict[str, Container | None] | PlanFault:
    """Return what `services:` says, in order; None for a service whose image is empty."""
    if token is None or isinstance(token, NullToken):
        return {}
    value = evaluate_value(token, scope)
    if isinstance(value, PlanFault):
        return value
    services: dict[str, Container | None] = {}
    try:
        for name, service in _mapping(value, token.span).items():
            _filled(name, token.span)
            container = _container(service, _within(token, name), _SERVICE_KEYS)
            services[name] = _sign_in(container, scope)
    except _UnexpectedValueError as error:
        return error.fault
    return services


def registry_of(image: str) -> str:
    """Return the registry that an image's name begins with; empty where it names none.

    Source: src/Runner.Worker/Container/DockerUtil.cs (ParseRegistryHostnameFromImageName)
    """
    parts = image.split("/")
    if len(parts) > 2 or (len(parts) == 2 and (":" in parts[0] or "." in parts[0])):
        return parts[0]
    return ""


def _sign_in(container: Container | None, scope: Scope) -> Container | None:
    """Give the job's own token to GitHub's registries where a workflow gives nothing."""
    if container is None or container.username or container.password:
        return container
    github = scope.contexts.get("github")
    token = github.get("token") if isinstance(github, Mapping) else None
    if registry_of(container.image).lower() not in _TOKEN_REGISTRIES or not token:
        return container
    actor = github.get("actor") if isinstance(github, Mapping) else None
    return replace(container, username=to_text(actor), password=to_text(token))


class _UnexpectedValueError(Exception):
    """A value does not fit its key; ends the conversion."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.fault = PlanFault(message, span)


def _container(value: Value, token: Token, keys: frozenset[str]) -> Container | None:
    """Convert a container written as an image's name or as a mapping."""
    if not isinstance(value, Mapping):
        image = _text(value, token.span).removeprefix(_PREFIX)
        return Container(image=image) if image else None
    _refuse_others(value, token, keys)
    image = _text_at(value, token, "image").removeprefix(_PREFIX)
    credentials = value.get("credentials", {})
    username, password = _credentials(credentials, _within(token, "credentials"))
    container = Container(
        image=image,
        env=_env(value, token),
        ports=_texts_at(value, token, "ports"),
        volumes=_texts_at(value, token, "volumes"),
        options=_text_at(value, token, "options"),
        username=username,
        password=password,
        entrypoint=_text_at(value, token, "entrypoint"),
        command=_text_at(value, token, "command"),
    )
    return container if image else None


def _env(value: Mapping[str, Value], token: Token) -> dict[str, str]:
    if "env" not in value:
        return {}
    written = _within(token, "env")
    return {
        _filled(name, written.span): _text(entry, _within(written, name).span)
        for name, entry in _mapping(value["env"], written.span).items()
    }


def _credentials(value: Value, token: Token) -> tuple[str, str]:
    given = _mapping(value, token.span)
    _refuse_others(given, token, _CREDENTIAL_KEYS)
    for name in given:
        _filled(_text_at(given, token, name), _within(token, name).span)
    return _text_at(given, token, "username"), _text_at(given, token, "password")


def _text_at(value: Mapping[str, Value], token: Token, key: str) -> str:
    return _text(value[key], _within(token, key).span) if key in value else ""


def _texts_at(value: Mapping[str, Value], token: Token, key: str) -> tuple[str, ...]:
    """Return a list of texts that are not empty."""
    if key not in value:
        return ()
    items, span = value[key], _within(token, key).span
    if not isinstance(items, list | tuple):
        raise _unexpected(items, span)
    return tuple(_filled(_text(item, span), span) for item in items)


def _refuse_others(value: Mapping[str, Value], token: Token, keys: frozenset[str]) -> None:
    for name in value:
        if name not in keys:
            raise _UnexpectedValueError(f"Unexpected value '{name}'", _within(token, name).span)


def _mapping(value: Value, span: Span) -> Mapping[str, Value]:
    if not isinstance(value, Mapping):
        raise _unexpected(value, span)
    return value


def _text(value: Value, span: Span) -> str:
    if kind_of(value) in ("Array", "Object"):
        raise _unexpected(value, span)
    return to_text(value)


def _filled(text: str, span: Span) -> str:
    if not text:
        raise _UnexpectedValueError("Unexpected value ''", span)
    return text


def _unexpected(value: Value, span: Span) -> _UnexpectedValueError:
    """Say in GitHub's words that a value is of the wrong shape."""
    kind = kind_of(value)
    if kind == "Array":
        return _UnexpectedValueError("A sequence was not expected", span)
    if kind == "Object":
        return _UnexpectedValueError("A mapping was not expected", span)
    return _UnexpectedValueError(f"Unexpected value '{to_text(value)}'", span)


def _within(token: Token, key: str) -> Token:
    """Return where the value under a key was written: there, or what stands for all of it."""
    found = token.find(key) if isinstance(token, MappingToken) else None
    return found or token
