"""The issuer of identity tokens: asked by jobs for a token, and by anybody for the public key.

    GET /oidc/token?api-version=2.0&audience=WHO      with a job's token → {"value": TOKEN}
    GET /oidc/.well-known/openid-configuration        discovery
    GET /oidc/.well-known/jwks                        the key that tokens are verified with

Sources: https://openid.net/specs/openid-connect-discovery-1_0.html, npm's @actions/core
(src/oidc-utils.ts) and actions/runner src/Runner.Worker/Handlers/ScriptHandler.cs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from windlass.services.identity.claims import CLAIMS, Identity, make_claims
from windlass.services.identity.keys import SigningKey
from windlass.services.messages import RequestError, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.catalogue import Means
    from windlass.services.jobs import ServedJob
    from windlass.services.messages import Request
    from windlass.services.server import Server

ISSUER: Final = "/oidc"
TOKEN: Final = f"{ISSUER}/token"
DISCOVERY: Final = f"{ISSUER}/.well-known/openid-configuration"
KEYS: Final = f"{ISSUER}/.well-known/jwks"
SCOPE: Final = "id-token"
LONGEST_AUDIENCE: Final = 1024
FILE: Final = "key.pem"


class Issuer:
    """Answers at `/oidc` with tokens of one key."""

    def __init__(self, key: SigningKey, now: Callable[[], float] = time.time) -> None:
        self._key = key
        self._now = now

    def issue(self, request: Request) -> Response:
        """Answer a job with a token, if its permissions allow that."""
        _expect_reading(request)
        job = request.known_job
        if not may_ask(job):
            raise RequestError(403, "The job may not ask for a token: `id-token: write` lets it.")
        audience = request.query.get("audience", "")
        if len(audience) > LONGEST_AUDIENCE:
            raise RequestError(400, f"An audience has at most {LONGEST_AUDIENCE} characters.")
        # Imported only where a token is asked for: it is not free.
        import uuid

        claims = make_claims(
            Identity(
                github=job.github,
                workflow_path=job.workflow_path,
                workflow_sha=job.workflow_sha,
                environment=job.environment,
            ),
            issuer=f"{request.origin}{ISSUER}",
            audience=audience,
            token_id=str(uuid.uuid4()),
            now=int(self._now()),
        )
        return Response.json({"value": self._key.sign(claims)})

    def discover(self, request: Request) -> Response:
        """Answer anybody with what the issuer can do."""
        _expect_reading(request)
        return Response.json(
            {
                "issuer": f"{request.origin}{ISSUER}",
                "jwks_uri": f"{request.origin}{KEYS}",
                "subject_types_supported": ["public", "pairwise"],
                "response_types_supported": ["id_token"],
                "claims_supported": list(CLAIMS),
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
            }
        )

    def show_keys(self, request: Request) -> Response:
        """Answer anybody with the public key."""
        _expect_reading(request)
        return Response.json({"keys": [self._key.public()]})


def add_routes(server: Server, means: Means) -> None:
    """Let a server issue identity tokens."""
    issuer = Issuer(SigningKey(means.identity / FILE))
    server.routes(TOKEN, issuer.issue)
    server.routes(DISCOVERY, issuer.discover, needs_token=False)
    server.routes(KEYS, issuer.show_keys, needs_token=False)


def may_ask(job: ServedJob) -> bool:
    """Tell whether a job may ask for an identity token."""
    return job.permissions.get(SCOPE) == "write"


def identity_variables(job: ServedJob, origin: str, token: str) -> dict[str, str]:
    """Return the variables that tell every step where to ask; none where the job may not.

    `origin` is the server as the job's processes reach it, `token` the job's own. Clients add
    `&audience=WHO` to the address.
    """
    if not may_ask(job):
        return {}
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{origin}{TOKEN}?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
    }


def _expect_reading(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise RequestError(405, f"{request.path} is only read.")
