"""The services as one job meets them, whoever serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.services.github_api.serving import api_addresses
from windlass.services.identity.issuer import identity_variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.jobs import ServedJob

_TRUE: Final = "True"
"""As .NET writes it, and so the runner."""


class JobServices:
    """What the processes of one job are told of the services. `token` is a secret."""

    def __init__(
        self,
        job: ServedJob,
        origin: str,
        token: str,
        issue_api_token: Callable[[], str],
        end: Callable[[], None],
    ) -> None:
        """Take where the job finds them, its token, and what is to be done at the end of the job.

        `issue_api_token` is asked, once, for the token for the REST API.
        """
        self.job = job
        self.origin = origin
        self.token = token
        self._issue_api_token = issue_api_token
        self._end = end
        self._api_token: str | None = None

    @property
    def api_token(self) -> str:
        """The token for GitHub's REST API as it is served here: a secret, the same each time."""
        if self._api_token is None:
            self._api_token = self._issue_api_token()
        return self._api_token

    @property
    def api_addresses(self) -> dict[str, str]:
        """Where GitHub's REST API is served, by the keys of the `github` context."""
        return api_addresses(self.origin)

    @property
    def script_variables(self) -> dict[str, str]:
        """The variables that a script gets."""
        return identity_variables(self.job, self.origin, self.token)

    @property
    def action_variables(self) -> dict[str, str]:
        """The variables that an action gets.

        Source: actions/runner src/Runner.Worker/Handlers/NodeScriptActionHandler.cs
        """
        return {
            "ACTIONS_RUNTIME_URL": f"{self.origin}/",
            "ACTIONS_RUNTIME_TOKEN": self.token,
            "ACTIONS_RESULTS_URL": f"{self.origin}/",
            "ACTIONS_CACHE_URL": f"{self.origin}/",
            "ACTIONS_CACHE_SERVICE_V2": _TRUE,
            **self.script_variables,
        }

    def close(self) -> None:
        """Serve the job no longer: it has ended."""
        self._end()
