"""Receipts: shown to those they are about, and confirmed to whoever has one in hand."""

from __future__ import annotations

from dataclasses import dataclass

from credentials import evidence
from credentials.evidence import Receipt
from credentials.flaw import NotGenuineError
from credentials.keyring import Key, Purpose
from models import errors
from models import verification as rows
from models.verification import Verification
from resolvers.context import Context
from resolvers.viewer import Role, Viewer


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A receipt that is ours: what it says, and the row it stands for."""

    receipt: Receipt
    row: Verification
    #: Whether the key has got into other hands since: then its place in the log alone proves it.
    compromised: bool


async def shown(context: Context, handle: str) -> Verification | None:
    """Return a check to the partner who made it, the holder it was of, or an officer; else None.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
    """
    if context.viewer.role is Role.ANONYMOUS:
        raise errors.UnauthenticatedError
    async with context.reads.one(), context.database.session() as session:
        row = await rows.by_handle(session, handle)
    return row if row and _may_see(context.viewer, row) else None


def _may_see(viewer: Viewer, row: Verification) -> bool:
    asking = viewer.verifier
    if asking is not None:
        return (asking.code, asking.live) == (row.verifier, row.live)
    return viewer.sees(row.subject or "")


async def confirmed(context: Context, presented: str) -> Confirmed:
    """Return what a receipt says, of which somebody wants to know whether it is ours.

    Raises:
        BadReceiptError: the hub has not given it out so.
    """
    keys: list[Key] = []

    def key(kid: str) -> Key | None:
        found = context.authority.keys.ring.known(Purpose.RECEIPT, kid)
        keys.extend([found] if found else [])
        return found

    try:
        found = evidence.read(presented, key)
    except NotGenuineError:
        raise errors.BadReceiptError from None
    async with context.reads.one(), context.database.session() as session:
        row = await rows.by_handle(session, found.id)
    if row is None or row.receipt != presented:
        raise errors.BadReceiptError
    compromised = keys[0].compromised_at is not None
    if compromised and row.position is None:
        raise errors.BadReceiptError
    return Confirmed(found, row, compromised)
