"""Whom a rule covers today: lists and counts of everybody, for those who look after people."""

from __future__ import annotations

from eligibility import sql
from eligibility.verdict import Outcome
from models import menu, page, standing, talent
from models.standing import Counts
from resolvers.context import Context
from resolvers.viewer import OFFICERS


async def counts(context: Context, service: menu.Service) -> Counts:
    """Return for how many people a service's rule holds today, does not, or may.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: the viewer is no officer.
        StandingMissingError: everybody's facts of today are not gathered yet.
        RuleTooLargeError: the rule is too large for the database.
    """
    context.viewer.require(OFFICERS)
    over = await context.keeper.of(context.today)
    tree = context.catalogue.rulebook.judge(service.code, context.today).tree
    async with context.reads.one(), context.database.session() as session:
        return await standing.counts(session, over, sql.truth(tree, over))


async def listed(
    context: Context, service: menu.Service, outcome: Outcome, first: int | None, after: str | None
) -> page.Page[talent.Talent]:
    """Return a page of the people of an outcome, in the order they were recorded.

    Raises:
        BadCursorError: the cursor was not given out for this list.
        BadInputError: ``first`` is out of range.
        GreenwayError: as ``counts`` raises.
    """
    context.viewer.require(OFFICERS)
    over = await context.keeper.of(context.today)
    tree = context.catalogue.rulebook.judge(service.code, context.today).tree
    scope = page.Scope("coverage", (service.code, outcome.value))
    async with context.reads.one(), context.database.session() as session:
        holds = sql.holds(outcome, tree, over)
        return await standing.page(session, over, holds, scope, first, after)
