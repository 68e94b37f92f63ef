"""Version 1 of what runners and a server say to each other: JSON over HTTP, below `/runner/v1`.

    POST register                      RegisterRequest → RegisterAnswer
    POST poll                          PollRequest → PollAnswer, held for up to 25 seconds
    POST jobs/JOB/events               EventsRequest → EventsAnswer
    PUT  jobs/JOB/log/FILE?offset=N    the bytes of a file of the job's record → LogAnswer
    POST jobs/JOB/end                  EndRequest → nothing
    POST leave                         nothing → nothing

All but `register` carry the runner's credential, `Authorization: Bearer wlr_…`. JOB is a job's id,
`RUN/ATTEMPT/NUMBER`; FILE is one of `LOG_FILES`. What may be sent twice has no effect the second
time: events are numbered, bytes have an offset, a job ends once.

A server refuses with a status and a problem (RFC 9457):

    401   the token or the credential is not, or no longer, good
    409   there would be a gap; the problem also has `received`, the number of the event that is
          expected, or `size`, the offset
    410   the job is no longer this runner's; `gone` in an answer to a poll says the same

This is frozen: fields are added and never change their meaning, those that are not known are left
out, and what is new has a default. What cannot be said so is version 2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, TypeVar

from windlass.model.status import Result
from windlass.model.values import dataclass, field, fields
from windlass.protocol.members import (
    as_count,
    as_flag,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_text_by_name,
    as_texts,
    or_none,
    read_object,
    refuse,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION: Final = 1
PREFIX: Final = "/runner/v1"
HOLD_SECONDS: Final = 25.0
"""How long a poll is held where there is nothing to say."""

LONGEST_EVENT: Final = 2 << 20
"""What an event may have, in bytes of JSON: a server takes twice as much."""

LOG_FILES: Final = ("log", "log.index", "log.steps")
"""The files of a job's record (`windlass.stores.logs`)."""

Members: TypeAlias = "Mapping[str, Callable[[Any, str], Any]]"
"""The fields of a message by name, and what reads each."""


@dataclass(frozen=True, slots=True)
class JobId:
    """What names a job between a server and its runners; `number` counts those of an attempt."""

    run: str
    attempt: int
    number: int

    def __str__(self) -> str:
        return f"{self.run}/{self.attempt}/{self.number}"


def read_job_id(text: str) -> JobId:
    """Return the job that `RUN/ATTEMPT/NUMBER` names.

    Raises:
        InputError: it names none.
    """
    parts = text.split("/")
    numbers = parts[1:]
    if len(parts) == 3 and parts[0].isalnum() and all(_is_number(it) for it in numbers):
        return JobId(parts[0], int(numbers[0]), int(numbers[1]))
    raise refuse(f"'{text}' is not the id of a job", "a job's id is RUN/ATTEMPT/NUMBER")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRequest:
    """A machine wants to be a runner; `token` is good for this once.

    `capacity` is how many jobs it runs at a time. One that is `ephemeral` runs one job and leaves.
    `version` is that of its Windlass, `protocol` the newest that it speaks. `digest` is the SHA-256
    in hexadecimal digits of a credential that the runner has drawn itself: sent again with the same
    token and name it makes no other runner. Without it the server draws one, and tells it once.
    """

    members: ClassVar[Members] = {
        "token": as_text,
        "name": as_text,
        "labels": as_texts,
        "capacity": as_count,
        "ephemeral": as_flag,
        "version": as_text,
        "protocol": as_count,
        "digest": as_text,
    }

    token: str = field(repr=False)
    name: str
    labels: tuple[str, ...]
    capacity: int
    ephemeral: bool = False
    version: str = ""
    protocol: int = VERSION
    digest: str = ""


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """The runner's id, and what it shows from now on; empty where it has drawn that itself."""

    members: ClassVar[Members] = {
        "runner": as_text,
        "credential": as_text,
    }

    runner: str
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRequest:
    """A runner is there, runs these jobs and has `free` places; one that drains takes no more."""

    members: ClassVar[Members] = {
        "running": as_texts,
        "free": as_count,
        "draining": as_flag,
    }

    running: tuple[str, ...] = ()
    free: int = 0
    draining: bool = False


@dataclass(frozen=True, slots=True)
class CancelNotice:
    """A job is to end, with `force` at once; `reason` is a sentence for people."""

    members: ClassVar[Members] = {"job": as_text, "reason": as_text, "force": as_flag}

    job: str
    reason: str
    force: bool = False


def _as_notices(value: Any, name: str) -> tuple[CancelNotice, ...]:
    return tuple(_read(CancelNotice, it, f"an item of {name}") for it in as_list(value, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAnswer:
    """What a runner is to do.

    `assignments` are jobs to run (`windlass.protocol.assignments`), each as an object of JSON: one
    that cannot be understood does not spoil the others. One that the runner does not name among
    those it runs is sent again. `gone` are jobs that are no longer this runner's: it ends them and
    says nothing more of them. With `drain` it takes no more jobs, ends those it has and leaves.
    """

    members: ClassVar[Members] = {
        "assignments": as_objects,
        "cancel": _as_notices,
        "gone": as_texts,
        "drain": as_flag,
    }

    assignments: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    cancel: tuple[CancelNotice, ...] = ()
    gone: tuple[str, ...] = ()
    drain: bool = False


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """Events of a job (`windlass.protocol.event_lines`) but output; `first` numbers the first."""

    members: ClassVar[Members] = {
        "first": as_count,
        "lines": as_texts,
    }

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """How many events of the job the server has; why the job is to end, None where it is not.

    With `force` it is to end at once.
    """

    members: ClassVar[Members] = {
        "received": as_count,
        "cancel": or_none(as_text),
        "force": as_flag,
    }

    received: int
    cancel: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """How many bytes of the file the server has."""

    members: ClassVar[Members] = {"size": as_count}

    size: int


def _as_result(value: Any, name: str) -> Result:
    text = as_text(value, name)
    if text in tuple(Result):
        return Result(text)
    raise refuse(f"{name} is '{text}'; one of {', '.join(Result)} was expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRequest:
    """A job has ended, and all there is of it was told: `received` events, and its log.

    `started` is false where its place could not be made. `outputs` are free of secrets.
    """

    members: ClassVar[Members] = {
        "received": as_count,
        "result": _as_result,
        "outputs": as_text_by_name,
        "started": as_flag,
    }

    received: int
    result: Result
    outputs: Mapping[str, str]
    started: bool = True


Message = TypeVar(
    "Message",
    RegisterRequest,
    RegisterAnswer,
    PollRequest,
    PollAnswer,
    CancelNotice,
    EventsRequest,
    EventsAnswer,
    LogAnswer,
    EndRequest,
)


def encode_message(message: Any) -> str:
    """Return a message as JSON, in ASCII: names of files may hold what UTF-8 has no bytes for."""
    return json.dumps(message, default=_as_data, allow_nan=False)


def decode_message(kind: type[Message], text: str | bytes) -> Message:
    """Return a message of a kind that was written by `encode_message`, of any version.

    Raises:
        InputError: it is none.
    """
    name = f"the {kind.__name__}"
    return _read(kind, read_object(text, name), name)


def require_version(protocol: int) -> None:
    """Refuse somebody who speaks only what is not understood here.

    Raises:
        InputError: this is what they do.
    """
    if protocol != VERSION:
        raise refuse(
            f"version {protocol} of the runner protocol is spoken, and this Windlass knows "
            f"{VERSION}",
            "run versions of Windlass on the server and its runners that are one apart at most",
        )


def _read(kind: type[Message], value: Any, name: str) -> Message:
    values = as_object(value, name)
    given = {
        member: take(values, member, read, name)
        for member, read in kind.members.items()
        if member in values or not _has_default(kind, member)
    }
    return kind(**given)


def _has_default(kind: type, member: str) -> bool:
    every: Any = fields(kind)
    return any(it.name == member and "default" in it.describe() for it in every)


def _as_data(value: Any) -> Any:
    if hasattr(value, "members"):
        return {member: getattr(value, member) for member in value.members}
    return dict(value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and (text == "0" or not text.startswith("0"))
