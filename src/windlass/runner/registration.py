"""Becoming a runner of a server: a token that is good once, for a credential that is kept."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from windlass.errors import UsageError
from windlass.protocol.runner import RegisterAnswer, encode_message
from windlass.runner.backoff import Backoff
from windlass.runner.connection import AwayError, Connection, RefusedError, read_answer
from windlass.runner.identity import Identity

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from windlass.protocol.runner import RegisterRequest
    from windlass.runner.connection import Address
    from windlass.runner.identity import RunnerState

_TRUST = "SSL_CERT_FILE names a file with the certificates of who may vouch for it"
_HINT = "`windlass runners token` on the server makes a token that is good once"


def find_identity(
    state: RunnerState,
    address: Address,
    request: RegisterRequest,
    tell: Callable[[str], None],
    stopped: threading.Event,
) -> Identity | None:
    """Return who this runner is to a server, registering where nobody is yet.

    A server that is away is waited for; None where `stopped` is set meanwhile.

    Raises:
        UsageError: there is neither a credential nor a token, or the token is not good.
        ProtocolError: the server does not understand this runner.
        PlatformError: the credential cannot be kept.
    """
    known = state.read()
    if known is not None and known.url == str(address):
        return known
    if not request.token:
        other = "" if known is None else f": its credential is for {known.url}"
        raise UsageError(
            f"this runner is not registered with {address}{other}",
            hint=f"give it a token: --token, or WINDLASS_RUNNER_TOKEN; {_HINT}",
        )
    answer = _register(address, request, tell, stopped)
    if answer is None:
        return None
    identity = Identity(
        url=str(address), runner=answer.runner, name=request.name, credential=answer.credential
    )
    state.write(identity)
    tell(f"registered with {address} as {request.name}")
    return identity


def _register(
    address: Address,
    request: RegisterRequest,
    tell: Callable[[str], None],
    stopped: threading.Event,
) -> RegisterAnswer | None:
    backoff, connection, is_away = Backoff(), Connection(address), False
    while not stopped.is_set():
        try:
            _, content = connection.post("register", encode_message(request))
        except RefusedError as error:
            raise UsageError(
                f"the token is not good, or no longer: {error.message}", hint=_HINT
            ) from error
        except AwayError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise UsageError(error.message, hint=_TRUST) from error
            if not is_away:
                tell(f"{error.message}; it is asked again")
            is_away = True
            stopped.wait(backoff.fail())
        else:
            connection.close()
            answer: RegisterAnswer = read_answer(RegisterAnswer, content)
            return answer
    return None
