"""How a play begins: who asks for the run, and whether the runner is one already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.chaos.server_workload import MAIN, REPOSITORY, Posted

from windlass.events.signatures import sign

if TYPE_CHECKING:
    from tests.chaos.server_workload import ServerWorkload


class Scene(NamedTuple):
    """See the module; `name` begins the names of what happens in it."""

    name: str
    asks: str
    is_new: bool = False
    """Whether the runner is a machine that has yet to register."""


EVENT: Final = Scene("", "event")
DISPATCH: Final = Scene("dispatch: ", "dispatch")
HOOK: Final = Scene("hook: ", "hook")
WEBHOOK: Final = Scene("webhook: ", "webhook")
NEW_RUNNER: Final = Scene("new runner: ", "event", is_new=True)
SCENES: Final = (EVENT, DISPATCH, HOOK, WEBHOOK, NEW_RUNNER)


def ask_for_run(workload: ServerWorkload, asks: str, key: str) -> None:
    """Have a server start a run, as somebody does; a program has a key for what it asks.

    Raises:
        httpx.HTTPError: it does not answer, or does not take it.
    """
    match asks:
        case "hook" | "webhook":
            workload.tell_of_push(_write_push(workload, asks))
        case "dispatch":
            path, body = f"/repositories/{REPOSITORY}/dispatches", {"workflow": "ci.yml"}
            workload.ask("POST", path, body, key)
        case _:
            workload.ask("POST", f"/repositories/{REPOSITORY}/events", {"type": "x"}, key)


def _write_push(workload: ServerWorkload, kind: str) -> Posted:
    """Return what Git's hook, or GitHub, posts for a push."""
    before, after = workload.commits
    push: dict[str, Any] = {"ref": MAIN, "before": before, "after": after}
    if kind == "hook":
        body = json.dumps({"updates": [push]}).encode()
        signed = {"X-Windlass-Signature-256": sign(workload.secret, body)}
        return Posted(f"/hooks/git/{REPOSITORY}", body, signed)
    body = json.dumps(push).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": sign(workload.secret, body),
    }
    return Posted(f"/hooks/github/{REPOSITORY}", body, headers)
