"""Holders' phones: linked and unlinked, and the seeds of what they show without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from credentials import code, es256
from credentials.flaw import NotGenuineError
from models import errors, status
from models import presentation as rows
from models.database import Session
from models.presentation import Device
from resolvers import presentation
from resolvers.context import Context
from resolvers.viewer import HOLDERS

#: So many phones at most are linked to one person.
MOST = 5
LONGEST_NAME = 60
#: A phone has seeds for today and tomorrow, so that it may be without a network overnight.
DAYS = 2


@dataclass(frozen=True, slots=True)
class Seed:
    """What a phone makes its fallback codes of, on one day (UTC)."""

    secret: bytes = field(repr=False)
    begins_at: datetime
    ends_at: datetime


async def mine(context: Context) -> Sequence[Device]:
    """Return the phones that the viewer has linked.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no person.
    """
    context.viewer.require(HOLDERS)
    if context.person is None:
        return ()
    async with context.reads.one(), context.database.session() as session:
        return await rows.linked(session, context.person.id)


async def link(context: Context, name: str, point: tuple[str, str] | None) -> Device:
    """Link a phone to the viewer's live card, and return it.

    Args:
        context: The query's surroundings.
        name: What the viewer calls it.
        point: The coordinates of its own P-256 key, as JWKs have them; without one it can show
            fallback codes, and no passes.

    Raises:
        NoLiveCardError: the viewer has no card to show.
        BadInputError: the name or the key is none, or too many are linked.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    if not (1 <= len(name.strip()) <= LONGEST_NAME and name.isprintable()):
        raise errors.BadInputError(f"`name` must have 1 to {LONGEST_NAME} printable characters.")
    public = None if point is None else public_key(*point)
    async with context.database.begin() as session:
        await presentation.live_card(session, context, person.id)
        if len(await rows.linked(session, person.id)) >= MOST:
            raise errors.BadInputError(f"You have linked {MOST} phones.", "Unlink one first.")
        linked = Device(
            handle=rows.new_handle(),
            talent_id=person.id,
            name=name.strip(),
            public=public,
            linked_at=context.now.astimezone(UTC),
            unlinked_at=None,
        )
        session.add(linked)
    return linked


async def unlink(context: Context, handle: str) -> Device:
    """Unlink a phone of the viewer: none of its codes and passes counts; again, it stays so.

    Raises:
        UnknownDeviceError: the viewer has none of this name.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person, now = context.holder(), context.now.astimezone(UTC)
    async with context.database.begin() as session:
        found = await rows.by_handle(session, person.id, handle)
        if found is None:
            raise errors.UnknownDeviceError
        await rows.unlink(session, [found], now)
        await status.end(session, now, devices=[found.id])
        await session.refresh(found)
        return found


async def seeds(context: Context, handle: str) -> list[Seed]:
    """Return what a phone of the viewer makes its fallback codes of, today and tomorrow.

    Raises:
        NoLiveCardError: the viewer has no card to show.
        UnknownDeviceError: the viewer has linked none of this name.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    async with context.reads.one(), context.database.session() as session:
        await presentation.live_card(session, context, person.id)
        device = await linked(session, person.id, handle)
    today = code.step_at(context.now) // code.STEPS_A_DAY
    return [_seed(context, device, day) for day in range(today, today + DAYS)]


async def linked(session: Session, talent_id: int, handle: str) -> Device:
    """Return a phone that a person has linked.

    Raises:
        UnknownDeviceError: they have linked none of this name.
    """
    found = await rows.by_handle(session, talent_id, handle)
    if found is None or found.unlinked_at is not None:
        raise errors.UnknownDeviceError
    return found


def public_key(x: str, y: str) -> dict[str, str]:
    """Return the JWK of a P-256 key with these coordinates.

    Raises:
        BadInputError: there is no such key.
    """
    said = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    try:
        es256.public_key(said)
    except NotGenuineError:
        raise errors.BadInputError(
            "This is no P-256 public key.", "Give `x` and `y` as its JWK has them."
        ) from None
    return said


def _seed(context: Context, device: Device, day: int) -> Seed:
    secret = code.day_seed(context.authority.master, bytes.fromhex(device.handle), day)
    length = timedelta(seconds=code.STEP_SECONDS * code.STEPS_A_DAY)
    begins = datetime.fromtimestamp(day * length.total_seconds(), UTC)
    return Seed(secret, begins, begins + length)
