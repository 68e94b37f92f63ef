"""What a job is offered besides its place: services that start when one of its steps needs them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.command import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.masking import Masker
    from windlass.services.job_services import JobServices

_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
_EXCEPTIONS: Final = ("NO_PROXY", "no_proxy")


class ServiceOffer:
    """Opens a job's services when they are first needed; its token is hidden before it is told."""

    def __init__(
        self,
        open_services: Callable[[str, int | None], JobServices],
        address: str,
        listen: Callable[[], int | None],
        masker: Masker,
        *,
        is_for_scripts: bool,
    ) -> None:
        """Take what opens them at an address, by which the job's processes reach this machine.

        `listen` returns a socket that listens there if that is the job's alone, else None.
        Scripts are told of them only where the job may ask for identity tokens.
        """
        self._is_for_scripts = is_for_scripts
        self._open = open_services
        self._address = address
        self._listen = listen
        self._masker = masker
        self._services: dict[str, JobServices] = {}
        self._has_api = False
        self._lock = threading.Lock()

    def open_api(self) -> tuple[str, dict[str, str]]:
        """Return a token for GitHub's REST API as it is served here, and where that is.

        The addresses have the keys that the `github` context has for them.

        Raises:
            StepError: the services cannot be started.
        """
        services = self._find()
        self._masker.add(services.api_token)
        self._has_api = True
        return services.api_token, services.api_addresses

    def add_to_action(self, variables: dict[str, str]) -> None:
        """Add what an action finds the services by.

        Raises:
            StepError: they cannot be started.
        """
        variables.update(self._find().action_variables)
        _bypass_proxy(variables, self._address)

    def add_to_container(self, variables: dict[str, str], address: str) -> None:
        """Add what an action in a container finds the services by, at an address it can reach.

        Raises:
            StepError: they cannot be started, or not at that address.
        """
        services = self._find(address)
        variables.update(services.action_variables)
        if self._has_api:
            addresses = services.api_addresses.items()
            variables.update((f"GITHUB_{key.upper()}", at) for key, at in addresses)
        _bypass_proxy(variables, address)

    def add_to_script(self, variables: dict[str, str]) -> None:
        """Add what a script finds the services by.

        Raises:
            StepError: they cannot be started.
        """
        if self._is_for_scripts:
            variables.update(self._find().script_variables)
        elif not self._has_api:
            return
        _bypass_proxy(variables, self._address)

    def close(self) -> None:
        """Serve the job no longer."""
        with self._lock:
            for services in self._services.values():
                services.close()

    def _find(self, address: str = "") -> JobServices:
        """Return the services as a container meets them at an address, or as the job does."""
        with self._lock:
            services = self._services.get(address)
            if services is None:
                try:
                    listener = None if address else self._listen()
                    services = self._open(address or self._address, listener)
                    self._services[address] = services
                except PlatformError as error:
                    raise StepError(f"{error.message}. {error.hint or ''}".rstrip()) from error
                self._masker.add(services.token)
            return services


def _bypass_proxy(variables: dict[str, str], address: str) -> None:
    """Keep what is said to this machine from going through a proxy, which cannot reach it."""
    if not any(name.upper() in _PROXIES for name in variables):
        return
    for name in _EXCEPTIONS:
        given = variables.get(name, "")
        variables[name] = f"{given},{address}" if given else address
