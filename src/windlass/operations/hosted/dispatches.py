"""Runs that somebody asks for: a workflow with its inputs, or an event of one's own.

Source: https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event and
https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from windlass.db.deliveries import find_delivery_of
from windlass.db.tickets import draw_ticket
from windlass.errors import InvalidError, MissingError, RefusedError
from windlass.events.checkouts import WORKFLOWS
from windlass.events.occasions import Occasion
from windlass.lang.diagnostics import Severity
from windlass.lang.expressions import read_json, to_text
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.deliveries import accept_delivery
from windlass.operations.hosted.planning import describe_finding, plan_occasion
from windlass.operations.hosted.repositories import fetch_repository, require_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.events.mirrors import Mirrors
    from windlass.operations.hosted.planning import Outcome
    from windlass.operations.hosted.site import Site

DISPATCH: Final = "workflow_dispatch"
_MOST_INPUTS: Final = 25
_MOST_INPUT_LETTERS: Final = 65535
_MOST_TYPE_LETTERS: Final = 100
_MOST_PAYLOAD_MEMBERS: Final = 10
_MOST_PAYLOAD_LETTERS: Final = 65535
_SHOWN_BRANCHES: Final = 5


def dispatch_workflow(
    site: Site,
    repository: str,
    workflow: str,
    *,
    ref: str = "",
    inputs: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> str:
    """Start one workflow of a repository, and return the id of its run.

    Asked for again with the same `key`, it is the same run.

    `workflow` is the name of its file, `ref` a branch or a tag, the default branch where it is
    empty. `inputs` are texts, or of the types that the workflow declares.

    Raises:
        MissingError: there is no such repository, ref or workflow.
        InvalidError: the workflow does not start by hand, or an input is unknown, missing or of
            another type; the message names each.
        RefusedError: a rule of the repository keeps the workflow from that branch.
        PlatformError: the repository or the database cannot be reached.
    """
    row = require_repository(site, repository)
    given = _read_inputs(inputs or {})
    path = _find_path(workflow)
    mirrors = fetch_repository(site, row)
    full = _find_ref(mirrors, row.id, ref or row.default_branch)
    occasion = Occasion(name=DISPATCH, ref=full, revisions=(full,), path=path)
    payload = {"inputs": given, "ref": full, "workflow": path}
    outcome = plan_occasion(site, mirrors, row, occasion, payload)
    if not outcome.definitions:
        raise _explain(outcome, path, full)
    (definition,) = outcome.definitions
    mirrors.keep(row.id, definition.event.sha)
    return start_run(site, row.id, definition, delivery=key and f"dispatch/{key}")


def dispatch_event(
    site: Site,
    repository: str,
    event_type: str,
    client_payload: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
) -> str:
    """Tell a repository of an event of one's own; return the id of its delivery.

    Told again with the same `key`, it is the same delivery.

    Workflows `on: repository_dispatch` of the default branch start.

    Raises:
        MissingError: there is no such repository.
        InvalidError: the type or the payload is not what GitHub takes.
        PlatformError: the database cannot be used.
    """
    row = require_repository(site, repository)
    if not event_type.strip() or len(event_type) > _MOST_TYPE_LETTERS:
        raise InvalidError(f"event_type has 1 to {_MOST_TYPE_LETTERS} letters")
    own = dict(client_payload or {})
    if len(own) > _MOST_PAYLOAD_MEMBERS:
        raise InvalidError(
            f"client_payload has {len(own)} members, and at most {_MOST_PAYLOAD_MEMBERS} are taken",
            hint="put them into one that is an object",
        )
    payload = {"action": event_type, "branch": row.default_branch, "client_payload": own}
    text = json.dumps(payload)
    if len(text) > _MOST_PAYLOAD_LETTERS:
        raise InvalidError(f"client_payload has more than {_MOST_PAYLOAD_LETTERS} letters")
    try:
        read_json(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"client_payload is no JSON that expressions take: {error}") from error
    guid = f"dispatch/{key or draw_ticket()}"
    receipt = accept_delivery(site, row, guid, "repository_dispatch", text)
    known = None if receipt.new else find_delivery_of(site.store, row.id, guid)
    return receipt.id if known is None else known.id


def _read_inputs(inputs: Mapping[str, Any]) -> dict[str, str]:
    if len(inputs) > _MOST_INPUTS:
        raise InvalidError(f"{len(inputs)} inputs are given, and at most {_MOST_INPUTS} are taken")
    for name, value in inputs.items():
        if not isinstance(value, str | bool | int | float):
            raise InvalidError(
                f"the input '{name}' is no text, no number and no boolean",
                hint="give a larger value as JSON in a text",
            )
    texts = {name: to_text(value) for name, value in inputs.items()}
    if sum(map(len, texts.values())) > _MOST_INPUT_LETTERS:
        raise InvalidError(f"the inputs have more than {_MOST_INPUT_LETTERS} letters")
    return texts


def _find_path(workflow: str) -> str:
    folder, slash, name = workflow.rpartition("/")
    is_known = folder == WORKFLOWS if slash else True
    if not is_known or not name.endswith((".yml", ".yaml")):
        raise MissingError(
            f"there is no workflow '{workflow}'", hint="name its file, such as deploy.yml"
        )
    return f"{WORKFLOWS}/{name}"


def _find_ref(mirrors: Mirrors, repository: str, ref: str) -> str:
    whole = [ref] if ref.startswith(("refs/heads/", "refs/tags/")) else []
    for candidate in whole or [f"refs/heads/{ref}", f"refs/tags/{ref}"]:
        if mirrors.find_commit(repository, candidate) is not None:
            return candidate
    known = ", ".join(mirrors.list_branches(repository, _SHOWN_BRANCHES)) or "none"
    raise MissingError(f"there is no branch and no tag '{ref}'", hint=f"branches are {known}")


def _explain(outcome: Outcome, path: str, ref: str) -> InvalidError | MissingError | RefusedError:
    """Return why nothing was started."""
    if outcome.held:
        return RefusedError(outcome.messages[-1], hint="see the rules in the repository's settings")
    errors = [it for it in outcome.diagnostics if it.severity is Severity.ERROR]
    if outcome.skipped and not any(it.span for it in errors):
        return InvalidError(
            f"{path} does not start by hand at {ref}", hint="declare `on: workflow_dispatch` in it"
        )
    if errors:
        return InvalidError("; ".join(map(describe_finding, errors)))
    return MissingError("; ".join(outcome.messages))
