"""Status lists: who gets which place, and the lists as they are published."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from credentials import base64url, status
from credentials.keyring import Key, Purpose
from models import status as rows
from models.card import Card
from models.database import Session
from models.presentation import Device
from resolvers.authority import Authority
from resolvers.context import ZONE

#: A list is built anew after so long, though nothing has changed.
LONGEST = timedelta(seconds=50)
#: What ends is noticed although the clocks of the hub's processes differ by so much.
_SKEW = timedelta(minutes=5)


async def entered(
    session: Session, issuer: str, card: Card, device: Device | None, expires_at: datetime
) -> tuple[str, int]:
    """Give a new credential its place: a random one that nobody has, in the newest list.

    A list is at most half full, so that an empty place is soon found and says nothing.

    Args:
        session: The transaction in which the credential is made.
        issuer: The hub's address.
        card: The card it is of.
        device: Whose key it is bound to, if any of those linked.
        expires_at: When it ends by itself.

    Returns:
        The address of the list and the place in it, as the credential names them.
    """
    number, taken = await rows.newest(session)
    if number == 0 or taken * 2 > rows.SIZE:
        number += 1
    while True:
        place = secrets.randbelow(rows.SIZE)
        if await rows.take(
            session,
            number,
            place,
            card_id=card.id,
            device_id=device.id if device else None,
            expires_at=expires_at,
        ):
            return address(issuer, number), place


def address(issuer: str, number: int) -> str:
    """Return where a list is published."""
    return f"{issuer}/status/{number}"


@dataclass(frozen=True, slots=True)
class Text:
    """Something as it is published; ``tag`` names this very text."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, said: str) -> Text:
        """Return this text, named."""
        return cls(said.encode(), base64url.digest(said))


@dataclass(frozen=True, slots=True)
class Published:
    """All lists at one moment; ``seen`` is what will differ once they are out of date."""

    as_of: datetime
    seen: tuple[int, int]
    lists: Mapping[int, Text]
    revocations: Text


class Lists:
    """The lists of this process: as they are, at most a few seconds after anything changed."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._alone = asyncio.Lock()
        self._published: Published | None = None

    async def refreshed(self) -> Published:
        """Return the lists as they are now, built anew where anything has changed.

        Of several who ask at once, one builds. What is read comes in small parts, and what takes
        long is done in a thread, so that whoever asks something else does not wait.
        """
        async with self._alone:
            known, now = self._published, self._authority.clock()
            if known is None or now - known.as_of >= LONGEST or await self._changed(known):
                await self._authority.begun()
                self._published = known = await self._built(now)
            return known

    async def _changed(self, known: Published) -> bool:
        async with self._authority.database.session() as session:
            return await rows.changed(session, known.as_of - _SKEW) != known.seen

    async def _built(self, now: datetime) -> Published:
        key = self._authority.keys.signer(Purpose.STATUS)
        today = now.astimezone(ZONE).date()
        built: dict[int, Text] = {}
        revoked: list[str] = []
        async with self._authority.database.session() as session:
            seen = await rows.changed(session, now - _SKEW)
            for number in range(1, await rows.numbers(session) + 1):
                uri = address(self._authority.issuer, number)
                marks = [
                    mark async for some in rows.marks(session, number, today, now) for mark in some
                ]
                built[number] = await asyncio.to_thread(_signed, key, marks, uri, now)
                revoked.append(await asyncio.to_thread(_listed, marks, uri))
        return Published(now, seen, built, _revocations(now, revoked))


def _signed(key: Key, marks: Iterable[rows.Mark], uri: str, now: datetime) -> Text:
    """Return a list as it is published; slow, and done in a thread for that."""
    says = {False: status.Status.INVALID, True: status.Status.SUSPENDED}
    marked = {mark.place: says[bool(mark.suspended)] for mark in marks}
    return Text.of(status.sign(key, status.of(marked, places=rows.SIZE), uri, now))


def _listed(marks: Iterable[rows.Mark], uri: str) -> str:
    """Return what is revoked in a list, and not over anyway, as items of JSON."""
    # Written out by hand: a serialiser would hold the interpreter for as long as it takes.
    start = f'{{"uri":{orjson.dumps(uri).decode()},"idx":'
    gone = (mark.place for mark in marks if mark.is_open and not mark.suspended)
    return ",".join(f"{start}{place}}}" for place in gone)


def _revocations(now: datetime, listed: Sequence[str]) -> Text:
    as_of, ttl = now.isoformat(), int(status.TTL.total_seconds())
    items = ",".join(filter(None, listed))
    return Text.of(f'{{"asOf":"{as_of}","ttl":{ttl},"revoked":[{items}]}}')
