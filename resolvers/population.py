"""Everybody at once against the whole menu: for the command line, never for the hub.

What this loads, Polars with everybody's facts, is more than a hub may hold (docs/adr/0019).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from eligibility import household, population
from eligibility.rulebook import Rulebook
from eligibility.tree import HOUSEHOLD, Tree
from models import population as columns
from models.database import Database
from models.impact import BY, Move
from models.standing import Counts, Standing
from resolvers import impact, standing
from resolvers.impact import Impact


async def counts(database: Database, rules: Rulebook, on: date) -> dict[str, Counts]:
    """Return for how many people each rule of a menu holds on a day, does not, or may."""
    trees = {code: rules.judge(code, on).tree for code in rules.rules}
    people = await load(database, await _made(database, on), trees)
    return population.counts(people, trees)


async def preview(database: Database, before: Rulebook, after: Rulebook, on: date) -> list[Impact]:
    """Return what rules that take the place of others do, service by service.

    Only services whose rule is not as it was are told of.
    """
    pairs = impact.changed(before, after, on)
    trees = {f"{code} {at}": pair[at] for code, pair in pairs.items() for at in (0, 1)}
    people = await load(database, await _made(database, on), trees)
    moves = population.moves(people, pairs, BY)
    return [
        Impact.of(code, *pair, [Move(*row) for row in moves[code]]) for code, pair in pairs.items()
    ]


async def _made(database: Database, on: date) -> Standing:
    await standing.make(database, on)
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
