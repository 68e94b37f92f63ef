"""Becoming a runner of a server: a token that is good once, for a credential that is kept.

The runner draws its credential itself and keeps it before it asks, and the server hears of its
digest alone. So whoever did not hear the answer, or was killed over it, asks the same again, and is
the same runner. A server that does not know of that draws another one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError, UsageError
from windlass.model.values import replace
from windlass.private_files import replace_private_file
from windlass.protocol.members import as_text, read_object, take
from windlass.protocol.runner import RegisterAnswer, encode_message
from windlass.runner.backoff import Backoff
from windlass.runner.connection import AwayError, Connection, RefusedError, read_answer
from windlass.runner.identity import Identity

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from windlass.protocol.runner import RegisterRequest
    from windlass.runner.connection import Address
    from windlass.runner.identity import RunnerState

_DRAWN: Final = "drawn.json"
_KIND: Final = "wlr_"
_TRUST: Final = "SSL_CERT_FILE names a file with the certificates of who may vouch for it"
_HINT: Final = "`windlass runners token` on the server makes a token that is good once"


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
    drawn = _draw_credential(state, request.token)
    answer = _register(address, replace(request, digest=_digest(drawn)), tell, stopped)
    if answer is None:
        return None
    identity = Identity(
        url=str(address),
        runner=answer.runner,
        name=request.name,
        credential=answer.credential or drawn,
    )
    state.write(identity)
    with suppress(OSError):
        (state.folder / _DRAWN).unlink()
    tell(f"registered with {address} as {request.name}")
    return identity


def _draw_credential(state: RunnerState, token: str) -> str:
    """Return the credential that was drawn for a token, and draw it where none was."""
    path = state.folder / _DRAWN
    with suppress(FileNotFoundError, InputError):
        known = read_object(_read(path), str(path))
        if take(known, "token", as_text, str(path)) == _digest(token):
            return str(take(known, "credential", as_text, str(path)))
    drawn = _KIND + secrets.token_urlsafe(32)
    values = {"token": _digest(token), "credential": drawn}
    try:
        replace_private_file(path, json.dumps(values).encode())
    except OSError as error:
        raise _refuse(path, "written", error) from error
    return drawn


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refuse(path, "read", error) from error


def _refuse(path: Path, deed: str, error: OSError) -> PlatformError:
    return PlatformError(
        f"{path} cannot be {deed}: {error.strerror}",
        hint="the runner keeps its credential there; --state names the folder",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _register(
    address: Address,
    request: RegisterRequest,
    tell: Callable[[str], None],
    stopped: threading.Event,
) -> RegisterAnswer | None:
    with closing(Connection(address)) as connection:
        return _ask(connection, request, tell, stopped)


def _ask(
    connection: Connection,
    request: RegisterRequest,
    tell: Callable[[str], None],
    stopped: threading.Event,
) -> RegisterAnswer | None:
    backoff, is_away = Backoff(), False
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
            answer: RegisterAnswer = read_answer(RegisterAnswer, content)
            return answer
    return None
