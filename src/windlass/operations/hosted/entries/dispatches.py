"""Runs that somebody asks for, and what else repositories were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted import deliveries, dispatches
from windlass.operations.hosted.cursors import read_cursor, write_cursor
from windlass.operations.hosted.entries.runs import get_run
from windlass.operations.hosted.operation import Operation
from windlass.operations.hosted.repositories import require_repository
from windlass.protocol.api import dispatches as api
from windlass.protocol.api.runs import FindRun

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site
    from windlass.protocol.api.runs import Run


def create_dispatch(site: Site, given: api.CreateDispatch, key: str | None = None) -> Run:
    """Start a workflow by hand (`workflow_dispatch`), with inputs, and show its run."""
    run = dispatches.dispatch_workflow(
        site, given.full_name, given.workflow, ref=given.ref or "", inputs=given.inputs, key=key
    )
    return get_run(site, FindRun(run=run))


def send_event(site: Site, given: api.SendEvent, key: str | None = None) -> api.SentEvent:
    """Tell a repository of an event of one's own (`repository_dispatch`), which may start runs."""
    sent = dispatches.dispatch_event(site, given.full_name, given.type, given.payload, key=key)
    return api.SentEvent(delivery=sent)


def list_deliveries(site: Site, given: api.ListDeliveries) -> api.DeliveryPage:
    """List what the server was told of a repository, newest first, and what came of it."""
    row = require_repository(site, given.full_name)
    before = "" if given.cursor is None else read_cursor(given.cursor, str)[0]
    rows = deliveries.show_deliveries(site, row, given.limit + 1, before)
    shown = rows[: given.limit]
    items = [
        api.Delivery(
            id=it.id,
            guid=it.guid,
            event=it.event,
            received=it.received,
            state=it.state,
            message=it.message,
        )
        for it in shown
    ]
    following = write_cursor(shown[-1].id) if len(rows) > given.limit else None
    return api.DeliveryPage(items=items, next=following)


OPERATIONS: Final = (
    Operation(
        call=api.CREATE,
        effect="deploy",
        function=create_dispatch,
        status=201,
        errors=("missing", "refused"),
        keyed=True,
    ),
    Operation(
        call=api.SEND_EVENT,
        effect="deploy",
        function=send_event,
        status=202,
        errors=("missing",),
        keyed=True,
    ),
    Operation(
        call=api.LIST_DELIVERIES, effect="read", function=list_deliveries, errors=("missing",)
    ),
)
