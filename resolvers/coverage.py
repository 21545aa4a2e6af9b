"""Whom a rule covers today: lists and counts of everybody, for those who look after people."""

from __future__ import annotations

from eligibility import sql
from eligibility.tree import Tree
from eligibility.verdict import Outcome
from models import menu, page, standing, talent
from models.standing import Counts, Standing
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
    tree, over = await _asked(context, service)
    async with context.reads.one(), context.database.session() as session:
        return await standing.counts(session, over, sql.truth(tree, over))


async def counted(context: Context, service: menu.Service, outcome: Outcome) -> int:
    """Return how many people are of an outcome today; raises as ``counts``."""
    tree, over = await _asked(context, service)
    async with context.reads.one(), context.database.session() as session:
        return await standing.count(session, over, sql.holds(outcome, tree, over))


async def listed(
    context: Context, service: menu.Service, outcome: Outcome, first: int | None, after: str | None
) -> page.Page[talent.Talent]:
    """Return a page of the people of an outcome today, in the order they were recorded.

    Raises:
        BadCursorError: the cursor was not given out for this list.
        BadInputError: ``first`` is out of range.
        GreenwayError: as ``counts`` raises.
    """
    tree, over = await _asked(context, service)
    scope = page.Scope("coverage", (service.code, outcome.value))
    async with context.reads.one(), context.database.session() as session:
        return await standing.page(
            session, over, sql.holds(outcome, tree, over), scope, first, after
        )


async def _asked(context: Context, service: menu.Service) -> tuple[Tree, Standing]:
    context.viewer.require(OFFICERS)
    tree = context.rules[service.code].tree
    return tree, await context.keeper.of(context.today)
