"""What one attempt of a run is made of, and as much of it as may be written down.

Never written are secrets and values that the user's local files gave: of these only the names are
kept, so that a later attempt can say what it is not given. Where a secret happens to be part of
something else, its name stands in its place, and the secret is put back when it is given again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InputError
from windlass.model.action_sources import ActionSources
from windlass.model.repository import Repository
from windlass.model.values import dataclass, field, fields, replace
from windlass.plan.event import Event
from windlass.plan.places import EVERY_LABEL, HOST
from windlass.plan.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FORMAT: Final = 1
_OPTIONS: Final = {"secrets": "--secret", "inputs": "--input", "vars": "--var", "env": "--env"}
_HINT: Final = "use the version of Windlass that began the run, or start the run anew"
_FACTS: Final = ("repository", "event", "given", "selection", "sources")
_MARK: Final = "\0secret {}\0"
_NO_SECRETS: Final[Mapping[str, str]] = {}
_UNWRITTEN: Final = ("changed_files", "added_files", "removed_files")
"""Facts of a repository and an event that only decide whether a workflow starts at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Values that the user gave, by name; of `inputs` those of workflow_dispatch."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    inputs: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One attempt: its workflow, its event and the user's wishes.

    `texts` are the files of the workflow and of those it calls, by path. `private` are names, such
    as `vars.REGION`, whose values must not be written; `absent` are those that were not. It is
    `whole` unless something else had to be left out. `places` says by label where jobs run,
    `number` is the run's among those of its workflow, `created` in seconds since the epoch. `again`
    says which jobs of the attempt before this one runs once more (see
    `windlass.operations.reruns`); empty is all. `sources` says where actions of other repositories
    are taken from. Code that comes `from_fork` gets no secrets of the repository.
    """

    run: str
    attempt: int
    number: int
    created: float
    name: str
    path: str
    texts: Mapping[str, str]
    repository: Repository
    event: Event
    given: Given
    selection: Selection
    places: Mapping[str, str]
    allowed_environments: frozenset[str]
    committed: bool
    keep: bool
    max_jobs: int | None
    again: str = ""
    private: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    whole: bool = True
    sources: ActionSources = ActionSources()
    from_fork: bool = False


def write_definition(definition: Definition, mask: Callable[[str], str]) -> str:
    """Return a definition as JSON, without anything that must not be written.

    `mask` hides the secrets of a text.
    """
    given, absent = _write_given(definition)
    event = _write_fields(definition.event)
    payload = dict(definition.event.payload)
    if definition.event.name == "workflow_dispatch":
        payload.pop("inputs", None)
    values = {
        "format": FORMAT,
        "run": definition.run,
        "attempt": definition.attempt,
        "number": definition.number,
        "created": definition.created,
        "name": definition.name,
        "path": definition.path,
        "repository": _write_fields(definition.repository),
        "event": {**event, "payload": payload},
        "selection": {"job": definition.selection.job, "legs": dict(definition.selection.legs)},
        "places": dict(definition.places),
        "allowed_environments": sorted(definition.allowed_environments),
        "committed": definition.committed,
        "keep": definition.keep,
        "max_jobs": definition.max_jobs,
        "again": definition.again,
        "given": given,
        "private": sorted(definition.private),
        "sources": {**_write_fields(definition.sources), "urls": list(definition.sources.urls)},
        "absent": absent,
        "from_fork": definition.from_fork,
        "texts": dict(definition.texts),
    }
    secrets = sorted(definition.given.secrets.items(), key=lambda item: -len(item[1]))
    named = _change_members(values, lambda it: _name_secrets(it, secrets))
    masked = _change_members(named, mask)
    # Not indented, which is slow: an event may name thousands of files.
    return json.dumps({**masked, "whole": masked == named}, default=dict)


def read_definition(text: str, name: str, secrets: Mapping[str, str] = _NO_SECRETS) -> Definition:
    """Return a definition that was written, without the values that were not.

    `name` is its file, for errors; `secrets` are put back where one was part of something else.

    Raises:
        InputError: it is none, or another version of Windlass wrote it.
    """
    try:
        values = _change(json.loads(text), lambda it: _put_back(it, secrets))
        version = values["format"]
        if version == FORMAT:
            return _read(values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{name} is no definition of a run: {_describe_error(error)}", hint=_HINT
        ) from error
    raise InputError(
        f"{name} has the format {version}, and this Windlass knows {FORMAT}", hint=_HINT
    )


def _describe_error(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def complete(definition: Definition, given: Given, local: Given) -> Definition:
    """Return a definition with the values that were not written, and with those given anew.

    What is `given` replaces what was written; `local`, from files of the user's, only fills gaps.

    Raises:
        InputError: a value is missing, or the definition could not be written whole.
    """
    if not definition.whole:
        raise InputError(
            "the definition of the run held a secret and was not kept whole",
            hint=f"start it anew: windlass run {definition.event.name}",
        )
    gaps = {
        kind: {name for at, name in map(_split, definition.absent) if at == kind}
        for kind in _OPTIONS
    }
    merged = {}
    for kind, names in gaps.items():
        filled = {name: it for name, it in getattr(local, kind).items() if name in names}
        merged[kind] = {**filled, **getattr(definition.given, kind), **getattr(given, kind)}
    missing = [(kind, name) for kind in gaps for name in sorted(gaps[kind] - set(merged[kind]))]
    if missing:
        raise _describe_missing(missing)
    return replace(definition, given=Given(**merged))


def _describe_missing(missing: list[tuple[str, str]]) -> InputError:
    listed = ", ".join(f"{kind}.{name}" for kind, name in missing)
    options = " ".join(
        f"{_OPTIONS[kind]} {name}" + ("" if kind == "secrets" else "=VALUE")
        for kind, name in missing
    )
    return InputError(
        f"values of the run are not kept and were not given again: {listed}",
        hint=f"give them: {options}",
    )


def _write_given(definition: Definition) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the values that may be written, by kind and name, and the names of the others."""
    written: dict[str, dict[str, str]] = {}
    absent: list[str] = []
    for kind in _OPTIONS:
        written[kind] = {}
        for name, value in getattr(definition.given, kind).items():
            path = f"{kind}.{name}"
            if kind == "secrets" or path in definition.private:
                absent.append(path)
            else:
                written[kind][name] = value
    return written, absent


def _split(path: str) -> tuple[str, str]:
    kind, _, name = path.partition(".")
    return kind, name


def _write_fields(value: Any) -> dict[str, Any]:
    return {it.name: getattr(value, it.name) for it in fields(value) if it.name not in _UNWRITTEN}


def _name_secrets(text: str, secrets: Sequence[tuple[str, str]]) -> str:
    """Put the names of secrets in their places; the longest secret comes first."""
    for name, value in secrets:
        if value:
            text = text.replace(value, _MARK.format(name))
    return text


def _put_back(text: str, secrets: Mapping[str, str]) -> str:
    for name, value in secrets.items() if _MARK[0] in text else ():
        text = text.replace(_MARK.format(name), value)
    return text


def _change_members(values: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return members with all texts changed; their names are ours, and so are those of facts."""
    return {
        name: _change_members(value, change) if name in _FACTS else _change(value, change)
        for name, value in values.items()
    }


def _change(value: Any, change: Callable[[str], str]) -> Any:
    """Return data of JSON with all texts changed, names of members too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(key): _change(item, change) for key, item in value.items()}
    return [_change(item, change) for item in value] if isinstance(value, list) else value


def _read(values: dict[str, Any]) -> Definition:
    return Definition(
        run=values["run"],
        attempt=values["attempt"],
        number=values["number"],
        created=values["created"],
        name=values["name"],
        path=values["path"],
        texts=values["texts"],
        repository=Repository(**values["repository"]),
        event=Event(**{**values["event"], "payload": _with_floats(values["event"]["payload"])}),
        given=Given(**values["given"]),
        selection=Selection(values["selection"]["job"], values["selection"]["legs"]),
        places=_read_places(values),
        allowed_environments=frozenset(values["allowed_environments"]),
        committed=values["committed"],
        keep=values["keep"],
        max_jobs=values["max_jobs"],
        again=values["again"],
        private=frozenset(values["private"]),
        absent=tuple(values["absent"]),
        whole=values["whole"],
        sources=_read_sources(values.get("sources", {})),
        from_fork=values.get("from_fork", False),
    )


def _read_places(values: dict[str, Any]) -> dict[str, str]:
    """Return where jobs run; those of earlier versions did so here where nothing was said."""
    if "places" in values:
        return dict(values["places"])
    return {EVERY_LABEL: HOST, **values["labels"]}


def _read_sources(values: dict[str, Any]) -> ActionSources:
    """Return where actions are from; runs of earlier versions do not say."""
    return ActionSources(**{**values, "urls": tuple(values.get("urls", ()))})


def _with_floats(value: Any) -> Any:
    """Return JSON with its numbers as expressions know them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, dict):
        return dict(_members_with_floats(value))
    return [_with_floats(item) for item in value] if isinstance(value, list) else value


def _members_with_floats(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, _with_floats(item)) for key, item in value.items())
