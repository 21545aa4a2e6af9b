"""Test people: made up, with test cards, so that whoever builds with a test key sees somebody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from models import card, talent
from models.card import Card, Change, Event, Reason, Status
from models.database import Database
from models.talent import Talent, TalentClass

_SOURCE = "sandbox"
_TERM = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Tester:
    """A test person, and how their card is; ``days`` is how long it is valid yet."""

    name: str
    talent_class: TalentClass
    status: Status = Status.ACTIVE
    days: int = _TERM.days


#: By number, from 1: one of each tier, one whose card is suspended, one whose card is over.
TESTERS = (
    Tester("Testa Highcard", TalentClass.HIGH),
    Tester("Testo Middlecard", TalentClass.MEDIUM),
    Tester("Testu Lowcard", TalentClass.LOW),
    Tester("Teste Suspendcard", TalentClass.HIGH, Status.SUSPENDED),
    Tester("Testi Pastcard", TalentClass.MEDIUM, days=-1),
)


async def build(data: Database, now: datetime) -> int:
    """Add those test people who are not there yet, and return how many."""
    numbers = range(1, len(TESTERS) + 1)
    async with data.begin() as session:
        await card.alone(session)
        known = await talent.bare(session, [handle(number) for number in numbers])
        missing = [number for number in numbers if handle(number) not in known]
        for number in missing:
            person = _person(number, now)
            session.add(person)
            await session.flush()
            words = sorted(talent.tokens(person.name_key))
            await session.execute(
                sa.insert(talent.name_token),
                [{"token": word, "talent_id": person.id} for word in words],
            )
            session.add_all(_events(person.cards[0], TESTERS[number - 1], now))
            await session.flush()
    return len(missing)


def handle(number: int) -> str:
    """Return the handle of a test person."""
    return f"tester{number}"


def serial(number: int) -> str:
    """Return the serial of a test person's card, the same in every hub."""
    digest = hashlib.sha256(f"greenway test card {number}".encode()).digest()
    return card.serial(int.from_bytes(digest[: card.SERIAL_BITS // 8]))


def _person(number: int, now: datetime) -> Talent:
    found, today = TESTERS[number - 1], now.astimezone(UTC).date()
    recorded = {"source": _SOURCE, "recorded_at": now}
    return Talent(
        handle=handle(number),
        name=found.name,
        name_key=talent.name_key(found.name),
        district=card.SANDBOX,
        talent_class=found.talent_class,
        listed_on=today,
        cards=[
            Card(
                serial=serial(number),
                batch=0,
                issued_on=today - (_TERM if found.days < 0 else timedelta()),
                valid_until=today + timedelta(days=found.days),
                status=found.status,
                tier=found.talent_class,
                sandbox=True,
                **recorded,
            )
        ],
        **recorded,
    )


def _events(issued: Card, found: Tester, now: datetime) -> list[Event]:
    by = {"card_id": issued.id, "at": now, "by": _SOURCE}
    events = [Event(change=Change.ISSUED, reason=Reason.ENTITLED, **by)]
    if found.status is Status.SUSPENDED:
        events.append(Event(change=Change.SUSPENDED, reason=Reason.UNDER_REVIEW, **by))
    return events
