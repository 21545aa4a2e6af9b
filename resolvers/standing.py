"""Brings about the standing of a day: everybody's facts, each by its own function, in a table."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from eligibility import household, rulebook
from eligibility import standing as forms
from eligibility.fact import Fact
from eligibility.tree import HOUSEHOLD
from models import census, errors, standing, talent
from models.database import Database, Session
from models.standing import Row, Standing

#: The most people whose standing a query waits for: a second's work.
MOST_AT_ONCE = 5_000
#: How many of them are judged before others have their turn.
_BATCH = 100

_MEMBER_FACTS = tuple(household.FACTS.values())


@functools.cache
def _facts() -> tuple[Fact, ...]:
    return tuple(rulebook.known_facts().values())


def of(on: date) -> Standing:
    """Return the standing of a day, whether or not it is there."""
    texts = [_texts(facts) for facts in (_facts(), _MEMBER_FACTS)]
    return Standing.of(on, forms.digest([*_facts(), *_MEMBER_FACTS]), *texts)


def _texts(facts: Iterable[Fact]) -> Mapping[str, bool]:
    return {fact.name: forms.is_text(fact) for fact in facts}


def rows(people: Iterable[talent.Talent], on: date) -> tuple[list[Row], list[Row]]:
    """Return the rows of people on a day, and those of the members of their households."""
    found: list[Row] = []
    members: list[Row] = []
    for person in people:
        known = rulebook.facts_of(person, on, _facts())
        found.append(
            (
                person.id,
                *forms.codes(known, _facts()),
                person.talent_class,
                person.industry,
                person.district,
            )
        )
        seen: Any = known[HOUSEHOLD] or ()
        for place, member in enumerate(seen):
            members.append((person.id, place, *forms.codes(member, _MEMBER_FACTS)))
    return found, members


async def make(database: Database, on: date) -> int | None:
    """Make the standing of a day where it is not there, and return how many people there are.

    All is read at one moment, and kept only when it is whole: writers wait for the keeping alone.
    None where somebody else is making it.
    """
    made = of(on)
    batches: list[tuple[list[Row], list[Row]]] = []
    async with database.session() as session:
        if not await standing.claim(session):
            return None
        many = await census.count(session)
        if await standing.is_there(session, made):
            return many
        async for people in census.chunks(session):
            for start in range(0, len(people), _BATCH):
                batches.append(rows(people[start : start + _BATCH], on))
                await asyncio.sleep(0)
        async with database.begin() as writing:
            await standing.keep(
                writing, made, [batch for batch, _ in batches], [batch for _, batch in batches]
            )
    return many


async def renew(session: Session, people: Iterable[talent.Talent], on: date) -> None:
    """Set the standing of whole people anew, in the transaction that changed what is known."""
    made = of(on)
    if await standing.is_there(session, made):
        await standing.put(session, made, *rows(people, on))


@dataclass(slots=True)
class Keeper:
    """Has the standing of a day brought about where a query needs it; one for each process.

    Where there are more people than ``most``, ``start`` starts what makes it, elsewhere.
    """

    database: Database
    start: Callable[[date], None] = lambda on: None  # noqa: ARG005 - it starts nothing
    most: int = MOST_AT_ONCE
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, on: date) -> Standing:
        """Return the standing of a day, made now if it is not there and they are few.

        Raises:
            StandingMissingError: it is not there, and they are many; or another process is at it.
        """
        found = of(on)
        async with self._making:
            async with self.database.session() as session:
                if await standing.is_there(session, found):
                    return found
                many = await census.count(session) > self.most
            if many:
                self.start(on)
            if many or await make(self.database, on) is None:
                raise errors.StandingMissingError
        return found
