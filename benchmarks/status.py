"""A million status entries built anew while a hub answers: how long its event loop stands still."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

import server
import settings as configuration
from benchmarks import machine, table
from connectors import http
from models import card, database, status
from models.card import Card, Change, Event, Reason, Status
from models.talent import Talent, TalentClass
from resolvers.status import Lists

MILLION = 1_000_000
PAUSE_MILLISECONDS = 10.0
#: A revocation is told in brief within so many seconds.
TOLD_SECONDS = 5.0
_OF_A_CARD = 10
_REVOKED, _SUSPENDED = 0.01, 0.005
_PROBE_SECONDS = 0.001
_NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


@dataclass(slots=True)
class Pauses:
    """For how long somebody who only wanted a millisecond's sleep was kept waiting."""

    longest: float = 0.0


def main(many: int = MILLION, rounds: int = 5, url: str | None = None) -> None:
    """Print how long lists of so many entries take to build, and what that costs others."""
    table.opened(f"Status lists of {many:,} entries, 1 % revoked, 0.5 % suspended")
    with machine.folder() as data:
        address = url or f"sqlite:///{data / 'greenway.db'}"
        environment = machine.environment(data, address, machine.free_ports(5)[0])
        asyncio.run(_measured(configuration.read(environment), many, rounds))


async def _measured(settings: configuration.Settings, many: int, rounds: int) -> None:
    found = database.Database(settings.database_url)
    client = http.HTTPClient()
    try:
        await found.upgrade()
        await _filled(found, many)
        authority = server.authority_of(settings, found, client, lambda: datetime.now(UTC))
        lists = Lists(authority)
        await authority.begun()
        # As the hub does: what lives long is not walked again and again.
        gc.collect()
        gc.freeze()
        took, pauses, sizes = [], [], 0
        for _ in range(rounds):
            await _revoked_one(found)
            async with _probed() as probe:
                began = time.perf_counter()
                published = await lists.refreshed()
                took.append(time.perf_counter() - began)
            pauses.append(probe.longest * 1000)
            sizes = sum(len(text.body) for text in published.lists.values())
        async with _probed() as idle:
            await asyncio.sleep(1)
    finally:
        await client.close()
        await found.close()
    table.shown(
        f"{rounds} times anew, each after a revocation",
        ("measured", "found"),
        [
            ("longest pause of the event loop", table.held(max(pauses), PAUSE_MILLISECONDS, "ms")),
            ("the same, where nothing is built", f"{idle.longest * 1000:.1f} ms"),
            ("until the revocation is in all lists", table.held(max(took), TOLD_SECONDS, "s")),
            ("lists", str(len(published.lists))),
            ("all of them, signed", f"{sizes / 1000:.0f} kB"),
            ("what is revoked, in brief", f"{len(published.revocations.body) / 1000:.0f} kB"),
        ],
    )


@contextlib.asynccontextmanager
async def _probed() -> AsyncIterator[Pauses]:
    found = Pauses()

    async def probe() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_PROBE_SECONDS)
            found.longest = max(found.longest, time.perf_counter() - began - _PROBE_SECONDS)

    probing = asyncio.create_task(probe())
    await asyncio.sleep(0)
    yield found
    probing.cancel()


async def _filled(found: database.Database, many: int) -> None:
    """Make cards, and for each of them so many credentials with a place in a list."""
    cards = many // _OF_A_CARD
    async with found.begin() as session:
        session.add(
            Talent(
                handle="somebody",
                name="Quill Emberwick",
                name_key="quill emberwick",
                district="changning",
                source="benchmark",
                recorded_at=_NOW,
            )
        )
        await session.flush()
        await database.load(session, _table(Card), list(_cards(cards)))
        await database.load(session, _table(status.StatusEntry), list(_entries(many)))
    await found.settle("card", "status_entry")


def _table(kind: Any) -> sa.Table:
    return kind.__table__


def _cards(many: int) -> Iterator[tuple[object, ...]]:
    today = _NOW.date()
    chance = random.Random(1)
    for number in range(many):
        drawn = chance.random()
        revoked, suspended = drawn < _REVOKED, drawn < _REVOKED + _SUSPENDED
        state = Status.REVOKED if revoked else Status.SUSPENDED if suspended else Status.ACTIVE
        values = {
            "serial": card.serial(number),
            "talent_id": 1,
            "batch": 1,
            "issued_on": today,
            "valid_until": today + timedelta(days=3650),
            "status": state,
            "tier": TalentClass.HIGH,
            "sandbox": False,
            "source": "benchmark",
            "recorded_at": _NOW,
        }
        yield _row(Card, values)


def _entries(many: int) -> Iterator[tuple[object, ...]]:
    chance, half = random.Random(2), status.SIZE // 2
    expires_at = _NOW + timedelta(days=3650)
    for number in range(many):
        place = number % half
        if place == 0:
            places = chance.sample(range(status.SIZE), half)
        values = {
            "list_number": number // half + 1,
            "place": places[place],
            "card_id": number // _OF_A_CARD + 1,
            "device_id": None,
            "expires_at": expires_at,
            "ended_at": None,
        }
        yield _row(status.StatusEntry, values)


def _row(kind: Any, values: dict[str, object]) -> tuple[object, ...]:
    return tuple(values[column.name] for column in _table(kind).columns if column.name != "id")


async def _revoked_one(found: database.Database) -> None:
    async with found.begin() as session:
        active = sa.select(Card).where(Card.status == Status.ACTIVE).limit(1)
        one = (await session.scalars(active)).one()
        one.status = Status.REVOKED
        by = {"at": datetime.now(UTC), "by": "benchmark"}
        session.add(Event(card_id=one.id, change=Change.REVOKED, reason=Reason.MISUSE, **by))
