"""The audit: all that is kept of checks, gone through, and whatever is not as it was is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from credentials import es256, evidence, log_head, merkle
from credentials.evidence import Receipt
from credentials.flaw import NotGenuineError
from credentials.keyring import Key, Keyring, Purpose
from credentials.merkle import Frontier
from models import audit as rows
from models import verification as checks
from models.audit import Kept
from models.database import Database, Session
from models.ledger import Head
from models.verification import Verification
from resolvers import ledger
from resolvers.authority import Authority

#: How many members a cosignature as it is kept has, and its key.
_COSIGNED, _POINT = 3, 4
_CHECK, _NODE, _HEAD = "verification", "ledger_node", "ledger_head"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the hub wrote it: where it stands, and what differs."""

    table: str
    id: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.what}"


@dataclass(slots=True)
class Tally:
    """How much was gone through."""

    checks: int = 0
    erased: int = 0
    leaves: int = 0
    heads: int = 0
    findings: int = 0


class Audit:
    """One pass over everything, of one moment, a stretch at a time.

    ``ring`` has every key the hub ever signed with. What a key has signed that others may have by
    now counts here all the same: its place in the log is what proves it.
    """

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._tree = Frontier()
        self.tally = Tally()

    async def findings(self, session: Session) -> AsyncIterator[Finding]:
        """Go through everything, and yield what is not as it was."""
        async for found in self._found(session):
            self.tally.findings += 1
            yield found

    async def _found(self, session: Session) -> AsyncIterator[Finding]:
        size = await rows.size(session)
        while (start := self._tree.size) < size:
            stop = min(start + rows.CHUNK, size)
            stretch = _Stretch(
                {one.place: one for one in await rows.placed(session, start, stop)},
                await rows.nodes(session, start, stop),
                {one.place: one for one in await rows.heads(session, start, stop)},
            )
            for place in range(start, stop):
                for found in self._leaf(place, stretch):
                    yield found
        async for one in rows.waiting(session):
            for found in self._check(one):
                yield found
        for found in await _strays(session, size):
            yield found

    def _leaf(self, place: int, stretch: _Stretch) -> Iterator[Finding]:
        """Check what stands at a place, and all that is complete with it."""
        self.tally.leaves += 1
        kept, stored = stretch.checks.get(place), stretch.nodes.get((0, place), b"")
        if kept is None:
            wrong = [Finding(_CHECK, f"at place {place}", "is missing")]
        else:
            wrong = list(self._check(kept))
        yield from wrong
        row = kept.row if kept else None
        leaf = stored
        # Of a check that is not as it was, or of nobody any more, the tree knows the leaf.
        if row is not None and not wrong and not checks.erased(row):
            leaf = ledger.leaf(row.salt, row.receipt)
            if leaf != stored and stretch.bears(place):
                yield Finding(_CHECK, str(row.id), f"is not what the log has at place {place}")
                leaf = stored
        self._tree, made = self._tree.append(leaf)
        for node in made:
            if stretch.nodes.get((node.level, node.index)) != node.hash:
                at = f"{node.level}/{node.index}"
                yield Finding(_NODE, at, "is not the hash of what it stands over")
        if head := stretch.heads.get(place + 1):
            yield from self._head(head)

    def _check(self, kept: Kept[Verification]) -> Iterator[Finding]:
        self.tally.checks += 1
        row, id_ = kept.row, str(kept.id)
        if row is None:
            yield Finding(_CHECK, id_, _spoilt(kept))
            return
        self.tally.erased += checks.erased(row)
        try:
            receipt = evidence.read(row.receipt, self._keys(Purpose.RECEIPT))
        except NotGenuineError as wrong:
            yield Finding(_CHECK, id_, f"`receipt` is none that the hub has signed ({wrong.flaw})")
            return
        if receipt.record != checks.record(row):
            yield Finding(_CHECK, id_, _contradicted(row, receipt))

    def _head(self, kept: Kept[Head]) -> Iterator[Finding]:
        self.tally.heads += 1
        row, id_ = kept.row, str(kept.id)
        if row is None:
            yield Finding(_HEAD, id_, _spoilt(kept))
            return
        try:
            said = log_head.read(row.signed, self._keys(Purpose.LOG))
        except NotGenuineError as wrong:
            yield Finding(_HEAD, id_, f"`signed` is none that the hub has signed ({wrong.flaw})")
            return
        if (row.size, row.root, row.signed_at) != (said.size, said.root.hex(), said.issued_at):
            yield Finding(_HEAD, id_, "`size`, `root` or `signed_at` is not as `signed` says")
        if (self._tree.size, self._tree.root) != (said.size, said.root):
            yield Finding(_HEAD, id_, "`root` is not the root of that many leaves")
        for one in row.cosigned:
            if not _is_cosigned(one, said):
                yield Finding(_HEAD, id_, "`cosigned` has what no neighbour signed so")

    def _keys(self, purpose: Purpose) -> Callable[[str], Key | None]:
        return partial(self._ring.known, purpose)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What is kept of a stretch of the log: its checks and heads, by place and size; its nodes."""

    checks: Mapping[int | None, Kept[Verification]]
    nodes: Mapping[tuple[int, int], bytes]
    heads: Mapping[int | None, Kept[Head]]

    def bears(self, place: int) -> bool:
        """Return whether the node above a leaf is that of the leaf as it is kept."""
        pair = [self.nodes.get((0, one), b"") for one in (place & ~1, place | 1)]
        return self.nodes.get((1, place >> 1)) == merkle.node(*pair)


async def _strays(session: Session, size: int) -> list[Finding]:
    """Return what stands where the log has no place."""
    beyond = f"is at a place that a log of {size} leaves does not have"
    return [
        *(Finding(_CHECK, str(one.id), beyond) for one in await rows.elsewhere(session, size)),
        *(Finding(_HEAD, str(one.id), beyond) for one in await rows.stray_heads(session, size)),
        *(
            Finding(_NODE, f"{level}/{place}", beyond)
            for level, place in await rows.stray_nodes(session, size)
        ),
    ]


def _spoilt(kept: Kept[Any]) -> str:
    return f"{_listed(kept.spoilt)} is not as the hub writes it"


def _contradicted(row: Verification, receipt: Receipt) -> str:
    """Return which columns are not as they were, as far as a receipt tells."""
    told = {
        "handle": row.handle == receipt.id,
        "verifier": row.verifier == receipt.partner,
        "outcome": row.outcome.value == receipt.outcome,
        "service": row.service == receipt.service,
        "checked_at": int(row.checked_at.timestamp()) == receipt.checked_at.timestamp(),
        "status_as_of": int(row.status_as_of.timestamp()) == receipt.status_as_of.timestamp(),
    }
    wrong = [name for name, holds in told.items() if not holds]
    which = _listed(wrong) if wrong else "one of the columns it names by their digest alone"
    return f"{which} is not as `receipt` says"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _is_cosigned(found: Any, said: log_head.Head) -> bool:  # noqa: ANN401 - as it is kept
    try:
        issuer, jwk, jws = (found[name] for name in ("iss", "jwk", "jws"))
        key = es256.public_key(jwk)
        by_id = {key.thumbprint(): key}
        signed = log_head.read_cosigned(jws, by_id.get, issuer=issuer)
    except (NotGenuineError, KeyError, TypeError, AttributeError):
        return False
    # What else is written there is signed by nobody.
    return signed == said and len(found) == _COSIGNED and len(jwk) == _POINT


async def erase(authority: Authority, holder: str) -> int:
    """Forget of whom the checks of a person were, and return how many those are.

    Their receipts and their leaves stand, so the log does; but nobody can say any more whom they
    were about, nor that this receipt is that leaf.
    """
    # A leaf is made with its salt: what is not in the log yet goes there first.
    await ledger.sequence(authority)
    many = 0
    while found := await _erased(authority.database, holder):
        many += found
    return many


async def _erased(database: Database, holder: str) -> int:
    async with database.begin() as session:
        found = await checks.of_subject(session, holder, rows.CHUNK)
        for row in found:
            checks.erase(row)
        return len(found)
