"""The ledger: every receipt in one log, whose heads are signed, and proofs of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from joserfc.jwk import ECKey

from credentials import evidence, log_head, merkle
from credentials.flaw import NotGenuineError
from credentials.keyring import Purpose
from credentials.log_head import Head
from credentials.merkle import Frontier, HashOf
from models import errors
from models import ledger as rows
from models.database import Session
from models.verification import leaf_salt
from resolvers.authority import Authority

#: Where the log is read, below a hub's address.
PATH = "ledger"
#: Where something was added, a head is signed so often at least.
HEAD_EVERY = timedelta(seconds=10)

_NO_HEAD = "This is no head of this log that a trusted neighbour has cosigned."
#: So many leaves are added in one go: a few milliseconds of the event loop.
_BATCH = 25


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Proof that a leaf stands at a place of the log, under a signed head."""

    index: int
    size: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    #: The head, as it was signed.
    head: str


def name(authority: Authority) -> str:
    """Return what the log is called: where it is read."""
    return f"{authority.issuer}/{PATH}"


def leaf(salt: str, receipt: str) -> bytes:
    """Return the leaf of a receipt."""
    return merkle.leaf(evidence.commitment(leaf_salt(salt).encode(), receipt.encode()))


# ── adding ───────────────────────────────────────────────────────────────────────────────────


async def sequence(authority: Authority) -> None:
    """Add all receipts that are not in the log, and sign its head where that is due.

    Of several processes one does it, and the others need not.
    """
    await authority.begun()
    while await _wanted(authority) and await _step(authority):
        pass


async def _wanted(authority: Authority) -> bool:
    """Say whether there is anything to do; nobody is kept from writing to find out."""
    async with authority.database.session() as session:
        if await rows.waiting(session, 1):
            return True
        return await _is_head_due(authority, session, await rows.size(session))


async def _step(authority: Authority) -> bool:
    async with authority.database.begin() as session:
        if not await rows.alone(session):
            return False
        tree = await _grown(session, await _frontier(session))
        if await _is_head_due(authority, session, tree.size):
            session.add(_signed(authority, tree))
    return True


async def _frontier(session: Session) -> Frontier:
    size = await rows.size(session)
    places, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            places.append((level, start >> level))
            start += 1 << level
    found = await rows.hashes(session, places)
    return Frontier(size, tuple(found[one] for one in places))


async def _grown(session: Session, tree: Frontier) -> Frontier:
    placed, nodes = {}, []
    for id_, salt, receipt in await rows.waiting(session, _BATCH):
        placed[id_] = tree.size
        tree, made = tree.append(leaf(salt, receipt))
        nodes += [(one.level, one.index, one.hash) for one in made]
    if placed:
        await rows.add(session, placed, nodes)
    return tree


async def _is_head_due(authority: Authority, session: Session, size: int) -> bool:
    newest = await rows.newest(session)
    if newest is None:
        return size > 0
    return size > newest.size and authority.clock() - newest.signed_at >= HEAD_EVERY


def _signed(authority: Authority, tree: Frontier) -> rows.Head:
    moment = authority.clock().replace(microsecond=0)
    head = Head(name(authority), tree.size, tree.root, moment)
    return rows.Head(
        size=head.size,
        root=head.root.hex(),
        signed=log_head.sign(authority.keys.signer(Purpose.LOG), head),
        signed_at=moment,
        cosigned=[],
    )


# ── proving ──────────────────────────────────────────────────────────────────────────────────


async def inclusions(session: Session, places: Sequence[int]) -> list[Inclusion | None]:
    """Return the proof for each place of the log; None of one that no signed head holds yet."""
    head = await rows.newest(session)
    if head is None:
        return [None] * len(places)
    proofs = {
        place: partial(merkle.inclusion, index=place, size=head.size)
        for place in places
        if 0 <= place < head.size
    }
    wanted = {(0, place) for place in proofs}.union(*map(merkle.places, proofs.values()))
    hash_of = await _stored(session, wanted)
    return [
        Inclusion(place, head.size, hash_of(0, place), tuple(proofs[place](hash_of)), head.signed)
        if place in proofs
        else None
        for place in places
    ]


async def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the log of one size only adds to that of another.

    Raises:
        BadInputError: no signed head has, or ever had, so many leaves.
    """
    head = await rows.newest(session)
    if head is None or not 0 < old <= new <= head.size:
        most = head.size if head else 0
        raise errors.BadInputError(
            f"There is no such proof: the signed log has {most} leaves.",
            "Give sizes of signed heads, the smaller one first.",
        )
    proof = partial(merkle.consistency, old=old, new=new)
    return proof(await _stored(session, merkle.places(proof)))


async def _stored(session: Session, places: set[tuple[int, int]]) -> HashOf:
    found = await rows.hashes(session, places)

    def hash_of(level: int, index: int) -> bytes:
        return found[level, index]

    return hash_of


# ── neighbours ───────────────────────────────────────────────────────────────────────────────


async def take_cosigned(authority: Authority, issuer: str, cosigned: str) -> None:
    """Keep a neighbour's signature on a head of ours, in place of its last on the same.

    Raises:
        BadInputError: no such neighbour is trusted, it has not signed this, or this is no head
            of ours.
    """
    used: dict[str, Any] = {}

    def key(kid: str) -> ECKey | None:
        found = authority.issuers.key(issuer, kid)
        # With its key beside it, it can be checked when the neighbour is trusted no more.
        used.update(_point(found) if found else {})
        return found

    try:
        said = log_head.read_cosigned(cosigned, key, issuer=issuer)
    except NotGenuineError:
        raise errors.BadInputError(_NO_HEAD) from None
    async with authority.database.begin() as session:
        head = await rows.head(session, said.size)
        if head is None or as_signed(name(authority), head) != said:
            raise errors.BadInputError(_NO_HEAD)
        others = [one for one in head.cosigned if one["iss"] != issuer]
        head.cosigned = [*others, {"iss": issuer, "jwk": used, "jws": cosigned}]


def _point(key: ECKey) -> dict[str, Any]:
    return {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}


def as_signed(log: str, head: rows.Head) -> Head:
    """Return what the signature of a head of ours must say, by what is kept of it."""
    return Head(log, head.size, bytes.fromhex(head.root), head.signed_at)


# ── what anybody may ask ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Signed:
    """A head of the log as it is published."""

    log: str
    size: int
    root: str
    signed_at: datetime
    signed: str
    #: Which neighbours signed it, and how.
    cosigned: tuple[tuple[str, str], ...]


async def newest(authority: Authority) -> Signed | None:
    """Return the newest head, if there is any."""
    async with authority.database.session() as session:
        head = await rows.newest(session)
    if head is None:
        return None
    return Signed(
        name(authority),
        head.size,
        head.root,
        head.signed_at,
        head.signed,
        tuple((one["iss"], one["jws"]) for one in head.cosigned),
    )


async def consistent(authority: Authority, old: int, new: int) -> list[bytes]:
    """Return what ``consistency`` does, and raise as it does."""
    async with authority.database.session() as session:
        return await consistency(session, old, new)


async def included(authority: Authority, leaf_hash: bytes) -> Inclusion | None:
    """Return the proof that a leaf stands in the log; None where no signed head holds it."""
    async with authority.database.session() as session:
        place = await rows.place(session, leaf_hash)
        return None if place is None else (await inclusions(session, [place]))[0]
