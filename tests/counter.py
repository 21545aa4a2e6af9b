"""What a test of counting needs: tills that check by keys of their own, and codes made in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from credentials import code
from models import card, talent
from models.database import Database
from models.presentation import Ticket
from models.verifier import Kind, Scope
from tests import client, hub
from tests.till import Till

SERVICE = "film-tickets"
#: What the menu gives of it, each month.
QUOTA = 2


async def tills(standing: hub.Standing, many: int) -> list[Till]:
    """Register cinemas that check by API key: each may ask only so often."""
    found = []
    for number in range(many):
        name = f"quill-cinema-{number}"
        await client.verifier(
            standing,
            name,
            kind=Kind.CINEMA,
            tier=1,
            scopes=(Scope.VERIFY_CODE, Scope.REDEEM, Scope.DISCLOSE_TIER),
            services=(SERVICE,),
        )
        found.append(Till(standing, name, SERVICE, await client.api_key(standing, name)))
    return found


async def codes(
    database: Database,
    talent_id: int,
    shown_to: Sequence[tuple[str, str]],
    now: datetime,
    lasts: timedelta = timedelta(hours=1),
) -> list[str]:
    """Have a person's phone make a code for each verifier and service; here without any limit."""
    tickets = [code.new_ticket() for _ in shown_to]
    async with database.begin() as session:
        held = sa.select(card.Card).where(card.Card.talent_id == talent_id)
        best = card.best((await session.scalars(held)).all())
        session.add_all(
            Ticket(
                digest=ticket.digest.hex(),
                card_id=best.id,
                verifier=verifier,
                service=service,
                consent_id=None,
                minted_at=now,
                expires_at=now + lasts,
                used_at=None,
            )
            for ticket, (verifier, service) in zip(tickets, shown_to, strict=True)
        )
    return [ticket.text("https://greenway.example") for ticket in tickets]


async def holders(database: Database, many: int, now: datetime) -> dict[int, str]:
    """Return so many people by id, each with a card that counts now and nothing used of it."""
    async with database.begin() as session:
        held = sa.select(talent.Talent.id, talent.Talent.handle).join(card.Card)
        active = held.where(card.Card.status == card.Status.ACTIVE).order_by(talent.Talent.id)
        found = dict((await session.execute(active.limit(many))).all())
        used = sa.delete(card.Redemption).where(card.Redemption.subject.in_(found.values()))
        await session.execute(used)
        # Hubs of their own process live by the machine's clock, whatever the day of the demo.
        term = {
            "issued_on": (now - timedelta(days=30)).date(),
            "valid_until": (now + timedelta(days=2000)).date(),
        }
        cards = sa.update(card.Card).where(
            card.Card.talent_id.in_(found), card.Card.status == card.Status.ACTIVE
        )
        await session.execute(cards.values(**term))
    return found
