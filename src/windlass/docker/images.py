"""Images: look at, pull, build, import, tag, remove."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from windlass.docker.faults import RefusedError, describe_refusal
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from windlass.docker.engine import Engine


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who pulls from a registry; `server` is its name, empty for Docker Hub."""

    username: str
    password: str = field(repr=False)
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image on the daemon's machine; `config` is that of its containers (`Env`, `Cmd`, ...)."""

    id: str
    tags: tuple[str, ...]
    system: str
    architecture: str
    size: int
    config: Mapping[str, Any]


def inspect_image(engine: Engine, name: str) -> Image | None:
    """Return what is known of an image, by name or id; None where it is not on the machine."""
    try:
        found = engine.ask("GET", f"/images/{quote(name)}/json")
    except RefusedError as error:
        if error.is_missing:
            return None
        raise
    return Image(
        id=found["Id"],
        tags=tuple(found.get("RepoTags") or ()),
        system=found.get("Os", ""),
        architecture=found.get("Architecture", ""),
        size=found.get("Size", 0),
        config=found.get("Config") or {},
    )


def list_images(
    engine: Engine, *, labels: Sequence[str] = (), reference: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """Return the images that have all labels (`NAME` or `NAME=VALUE`) and match a reference."""
    filters: dict[str, list[str]] = {"label": list(labels)} if labels else {}
    if reference is not None:
        filters["reference"] = [reference]
    found: Sequence[Mapping[str, Any]] = engine.ask(
        "GET", "/images/json", query={"filters": filters or None}
    )
    return found


def list_history(engine: Engine, name: str) -> Sequence[Mapping[str, Any]]:
    """Return the layers of an image, the last one first: `Size`, `Tags`, `CreatedBy`, ...

    Raises:
        RefusedError: there is no such image (`is_missing`).
    """
    found: Sequence[Mapping[str, Any]] = engine.ask("GET", f"/images/{quote(name)}/history")
    return found


def pull_image(
    engine: Engine,
    name: str,
    *,
    credentials: Credentials | None = None,
    platform: str | None = None,
    note: Callable[[str], None] | None = None,
) -> None:
    """Pull an image; without tag or digest it is `latest`. `note` gets a line for each thing done.

    Raises:
        RefusedError: there is no such image, it may not be pulled, or the registry refused.
    """
    image, tag = split_name(name)
    headers = {} if credentials is None else {"X-Registry-Auth": _encode(credentials)}
    query = {"fromImage": image, "tag": tag, "platform": platform}
    for message in engine.follow("POST", "/images/create", query=query, headers=headers):
        if note is not None and not message.get("progressDetail") and "status" in message:
            layer = f"{message['id']}: " if message.get("id") else ""
            note(f"{layer}{message['status']}")


def build_image(
    engine: Engine,
    context: Iterable[bytes],
    *,
    tag: str,
    dockerfile: str = "Dockerfile",
    labels: Mapping[str, str] | None = None,
    arguments: Mapping[str, str] | None = None,
    note: Callable[[str], None] | None = None,
) -> str:
    """Build an image from a tar of its context and return its id; `note` gets the output's lines.

    Raises:
        RefusedError: the build failed; the message is that of the instruction.
    """
    query = {
        "t": tag,
        "dockerfile": dockerfile,
        "rm": True,
        "forcerm": True,
        "labels": dict(labels or {}),
        "buildargs": dict(arguments or {}),
    }
    made = ""
    for message in engine.follow("POST", "/build", query=query, body=context):
        made = (message.get("aux") or {}).get("ID", made)
        if note is not None and "stream" in message:
            for line in _whole_lines(message["stream"]):
                note(line)
    found = made or getattr(inspect_image(engine, tag), "id", "")
    if not found:
        raise describe_refusal(f"The daemon ended the build of {tag} without an image")
    return found


def import_image(
    engine: Engine,
    archive: Iterable[bytes],
    name: str,
    *,
    changes: Sequence[str] = (),
) -> str:
    """Make an image of the tar of a root file system; `changes` are instructions (`CMD [...]`).

    Returns the image's id.
    """
    # Podman takes no tag beside the name.
    pairs = {"fromSrc": "-", "repo": ":".join(split_name(name))}
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in pairs.items())
    query += "".join(f"&changes={quote(change, safe='')}" for change in changes)
    made = ""
    for message in engine.follow("POST", f"/images/create?{query}", body=archive):
        made = str(message.get("status") or made)
    return made


def load_images(engine: Engine, archive: Iterable[bytes]) -> None:
    """Take in the images of a tar that `docker save` or a builder has written."""
    for _ in engine.follow("POST", "/images/load", body=archive):
        pass


def save_image(engine: Engine, name: str) -> Iterator[bytes]:
    """Yield the tar of an image with its layers, as `docker save` writes it."""
    return engine.fetch(f"/images/{quote(name)}/get", timeout=None)


def tag_image(engine: Engine, image: str, name: str) -> None:
    """Give an image another name."""
    repository, tag = split_name(name)
    engine.ask("POST", f"/images/{quote(image)}/tag", query={"repo": repository, "tag": tag})


def remove_image(engine: Engine, name: str, *, force: bool = False) -> None:
    """Remove an image, or a name of it; one that is not there is left."""
    try:
        engine.ask("DELETE", f"/images/{quote(name)}", query={"force": force})
    except RefusedError as error:
        if not error.is_missing:
            raise


def split_name(name: str) -> tuple[str, str]:
    """Return the repository, and the tag or digest, of an image's name; `latest` where none is."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    head, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return f"{head}{slash}{base}", tag or "latest"


def _encode(credentials: Credentials) -> str:
    told = {
        "username": credentials.username,
        "password": credentials.password,
        "serveraddress": credentials.server,
    }
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _whole_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())
