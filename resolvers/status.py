"""Status lists: who gets which place, and the lists as they are published."""

from __future__ import annotations

import asyncio
import secrets
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    seen: tuple[int, int, int]
    lists: Mapping[int, Text]
    revocations: Text


class Lists:
    """The lists of this process."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._alone = asyncio.Lock()
        self._published: Published | None = None

    async def current(self) -> Published:
        """Return the lists as they were last built, within a second of any change.

        Where the database is away they stay so, and hold as long as they say.
        """
        return self._published or await self.refreshed()

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
        async with self._authority.database.session() as session:
            seen = await rows.changed(session, now - _SKEW)
            many = await rows.numbers(session)
            marked = {number: _Marked() for number in range(1, many + 1)}
            async for some in rows.marks(session, today, now):
                for mark in some:
                    marked[mark.list_number].take(mark)
        built: dict[int, Text] = {}
        revoked: list[str] = []
        for number, marks in marked.items():
            uri = address(self._authority.issuer, number)
            built[number], brief = await asyncio.to_thread(_made, key, marks, uri, now)
            revoked.append(brief)
        return Published(now, seen, built, await asyncio.to_thread(_revocations, now, revoked))


def _places() -> array[int]:
    """Return room for places: numbers in a row, of which a million are no work to look after."""
    return array("L")


@dataclass(slots=True)
class _Marked:
    """The places of a list that do not count; of those for good, the ``brief`` may be shown yet."""

    invalid: array[int] = field(default_factory=_places)
    suspended: array[int] = field(default_factory=_places)
    brief: array[int] = field(default_factory=_places)

    def take(self, mark: rows.Mark) -> None:
        """Note one."""
        if mark.suspended:
            self.suspended.append(mark.place)
            return
        self.invalid.append(mark.place)
        if mark.is_open:
            self.brief.append(mark.place)


def _made(key: Key, marked: _Marked, uri: str, now: datetime) -> tuple[Text, str]:
    """Return a list as it is published, and in brief; slow, and done in a thread for that."""
    says = {
        **dict.fromkeys(marked.suspended, status.Status.SUSPENDED),
        **dict.fromkeys(marked.invalid, status.Status.INVALID),
    }
    signed = status.sign(key, status.of(says, places=rows.SIZE), uri, now)
    # Written out by hand: a serialiser would hold the interpreter for as long as it takes.
    start = f'{{"uri":{orjson.dumps(uri).decode()},"idx":'
    brief = ",".join(f"{start}{place}}}" for place in dict.fromkeys(marked.brief))
    return Text.of(signed), brief


def _revocations(now: datetime, listed: Sequence[str]) -> Text:
    as_of, ttl = now.isoformat(), int(status.TTL.total_seconds())
    items = ",".join(filter(None, listed))
    return Text.of(f'{{"asOf":"{as_of}","ttl":{ttl},"revoked":[{items}]}}')
