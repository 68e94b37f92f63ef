"""What a job is offered besides its place: services that start when one of its steps needs them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.command import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.masking import Masker
    from windlass.services.run_services import JobServices

_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
_EXCEPTIONS: Final = ("NO_PROXY", "no_proxy")


class ServiceOffer:
    """Opens a job's services when they are first needed; its token is hidden before it is told."""

    def __init__(
        self,
        open_services: Callable[[str], JobServices],
        address: str,
        masker: Masker,
        *,
        is_for_scripts: bool,
    ) -> None:
        """Take what opens them at an address, by which the job's processes reach this machine.

        Scripts are told of them only where the job may ask for identity tokens.
        """
        self._is_for_scripts = is_for_scripts
        self._open = open_services
        self._address = address
        self._masker = masker
        self._services: JobServices | None = None
        self._lock = threading.Lock()

    def add_to_action(self, variables: dict[str, str]) -> None:
        """Add what an action finds the services by.

        Raises:
            StepError: they cannot be started.
        """
        variables.update(self._find().action_variables)
        self._bypass_proxy(variables)

    def add_to_script(self, variables: dict[str, str]) -> None:
        """Add what a script finds the services by.

        Raises:
            StepError: they cannot be started.
        """
        if not self._is_for_scripts:
            return
        variables.update(self._find().script_variables)
        self._bypass_proxy(variables)

    def close(self) -> None:
        """Serve the job no longer."""
        with self._lock:
            if self._services is not None:
                self._services.close()

    def _find(self) -> JobServices:
        with self._lock:
            if self._services is None:
                try:
                    self._services = self._open(self._address)
                except PlatformError as error:
                    raise StepError(f"{error.message}. {error.hint or ''}".rstrip()) from error
                self._masker.add(self._services.token)
            return self._services

    def _bypass_proxy(self, variables: dict[str, str]) -> None:
        """Keep what is said to this machine from going through a proxy, which cannot reach it."""
        if not any(name.upper() in _PROXIES for name in variables):
            return
        for name in _EXCEPTIONS:
            given = variables.get(name, "")
            variables[name] = f"{given},{self._address}" if given else self._address
