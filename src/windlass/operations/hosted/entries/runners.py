"""The machines that take jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted import runners
from windlass.operations.hosted.cursors import cut_page
from windlass.operations.hosted.operation import Operation
from windlass.protocol.api import runners as api

if TYPE_CHECKING:
    from windlass.operations.hosted.runners import RunnerState
    from windlass.operations.hosted.site import Site


def list_runners(site: Site, given: api.ListRunners) -> api.RunnerPage:
    """List the runners, by name."""
    states, following = cut_page(runners.list_runners(site), given)
    return api.RunnerPage(items=[_describe(it) for it in states], next=following)


def get_runner(site: Site, given: api.OfRunner) -> api.Runner:
    """Show one runner: its labels, whether it was heard of lately, how many jobs it has."""
    return _describe(runners.read_runner(site, given.runner))


def create_registration(site: Site, given: api.CreateRegistration) -> api.Registration:
    """Make a token by which one machine may become a runner. It is told once."""
    made = runners.create_registration(site, seconds=given.seconds)
    return api.Registration(token=made.token, expires=made.expires)


def drain_runner(site: Site, given: api.OfRunner) -> api.Runner:
    """Have a runner take no more jobs, end those it has, and leave."""
    runners.drain_runner(site, given.runner)
    return _describe(runners.read_runner(site, given.runner))


def revoke_runner(site: Site, given: api.OfRunner) -> api.Runner:
    """Have a runner's credential not count any more. Its jobs end as lost."""
    runners.revoke_runner(site, given.runner)
    return _describe(runners.read_runner(site, given.runner))


def remove_runner(site: Site, given: api.OfRunner) -> None:
    """Forget a runner and its credential. Its jobs end as lost."""
    runners.remove_runner(site, given.runner)


def _describe(state: RunnerState) -> api.Runner:
    row = state.row
    return api.Runner(
        id=row.id,
        name=row.name,
        labels=list(row.labels),
        capacity=row.capacity,
        running=state.running,
        ephemeral=row.ephemeral,
        state=row.state,
        online=state.online,
        version=row.version,
        created=row.created,
        seen=row.seen,
    )


OPERATIONS: Final = (
    Operation(call=api.LIST, effect="read", function=list_runners),
    Operation(call=api.GET, effect="read", function=get_runner, errors=("missing",)),
    Operation(
        call=api.REGISTER_TOKEN,
        effect="write",
        function=create_registration,
        status=201,
        once=True,
    ),
    Operation(
        call=api.DRAIN,
        effect="write",
        function=drain_runner,
        errors=("missing", "conflict"),
        again=get_runner,
    ),
    Operation(
        call=api.REVOKE,
        effect="write",
        function=revoke_runner,
        errors=("missing",),
        again=get_runner,
    ),
    Operation(
        call=api.REMOVE, effect="write", function=remove_runner, status=204, errors=("missing",)
    ),
)
