"""Everybody at once against the whole menu: for the command line, never for the hub.

What this loads, Polars with everybody's facts, is more than a hub may hold (docs/adr/0019).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from eligibility import household, population
from eligibility.rulebook import Rulebook
from eligibility.tree import HOUSEHOLD, Tree
from models import errors, menu
from models import population as columns
from models.database import Database
from models.impact import BY, Move
from models.standing import Counts, Standing
from resolvers import impact, standing
from resolvers import menu as catalogue
from resolvers.impact import Impact


async def counts(database: Database, rules: Rulebook, on: date) -> dict[str, Counts]:
    """Return for how many people each rule of a menu holds on a day, does not, or may.

    Raises:
        StandingMissingError: another process is gathering everybody's facts.
    """
    trees = {code: rules.judge(code, on).tree for code in rules.rules}
    people = await load(database, await _made(database, on), trees)
    return population.counts(people, trees)


async def preview(database: Database, found: menu.Menu, on: date) -> list[Impact]:
    """Return what publishing a menu would do to people on a day, service by service.

    Only services whose rule is not as it was are told of. Raises as ``counts``, and:

    Raises:
        MenuMissingError: nothing has been published yet.
    """
    before = (await catalogue.newest(database)).rulebook
    pairs = impact.changed(before, Rulebook.of(found), on)
    if not pairs:
        return []
    trees = {f"{code} {at}": pair[at] for code, pair in pairs.items() for at in (0, 1)}
    people = await load(database, await _made(database, on), trees)
    moves = population.moves(people, pairs, BY)
    return [
        Impact.of(code, *pair, [Move(*row) for row in moves[code]]) for code, pair in pairs.items()
    ]


async def _made(database: Database, on: date) -> Standing:
    if await standing.make(database, on) is None:
        raise errors.StandingMissingError
    return standing.of(on)


async def load(database: Database, over: Standing, trees: Mapping[str, Tree]) -> population.Frame:
    """Return everybody of a standing, with the facts that these trees ask for, and their groups."""
    facts = {name: fact for tree in trees.values() for name, fact in tree.facts.items()}
    people, members = [*facts, *BY], [*household.FACTS]
    async with database.session() as session:
        ids, *found = await columns.columns(session, over.people, ["talent_id", *people])
        homes = None
        if HOUSEHOLD in facts:
            whose, *seen = await columns.columns(session, over.members, ["talent_id", *members])
            homes = {population.PERSON: whose, **dict(zip(members, seen, strict=True))}
    named = {population.PERSON: ids, **dict(zip(people, found, strict=True))}
    return population.frame(facts.values(), named, homes)
