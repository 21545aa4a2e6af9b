"""Webhooks: partners hear of changes of the cards that they had accepted, and of nothing else.

What is to be sent is on record before it is sent, and what came of it after: a hub that ends in
between leaves it to be sent again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import orjson

from connectors import http
from connectors.errors import PartnerError
from credentials import webhook as signing
from models import errors, page
from models import webhook as rows
from models.card import Change, Event
from models.database import Session
from models.page import Page, Scope
from models.webhook import Befell, Delivery, Webhook
from resolvers import verifier
from resolvers.authority import Authority
from resolvers.context import Context
from resolvers.directory import Asking
from resolvers.menu import Catalogue

#: So many webhooks may a verifier have in each world.
MOST = 5
LONGEST_URL = 500
#: A secret counts so long beside the one that takes its place.
OVERLAP = timedelta(hours=24)
#: What is not taken is sent again after these; then it is given up, after three days.
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    *(timedelta(hours=6),) * 12,
)

#: Nobody else sends for so long what somebody sends: longer than it can take.
_LEASE = timedelta(seconds=60)
_POLICY = http.Policy(
    deadline_seconds=10.0,
    attempts=1,
    body_bytes=65_536,
)
#: So many are sent to one webhook at once, and so many by this process.
_EACH = 4
_ALL = 64
#: So many events are looked at for a webhook at once.
_LOOKED = 500
_NO_CURSOR = 0

_log = logging.getLogger("greenway.webhooks")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a verifier is told of a change: of whom, in its own words, and where it matters."""

    id: str
    change: Change
    at: datetime
    holder: str
    areas: tuple[str, ...]

    @property
    def type(self) -> str:
        """What befell the card, as the message says it."""
        return f"card.{self.change.lower()}"

    @property
    def body(self) -> bytes:
        """The message."""
        data = {"holder": self.holder, "areas": self.areas}
        return orjson.dumps({"type": self.type, "timestamp": self.at, "data": data})


@dataclass(frozen=True, slots=True)
class Opened:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str


# ── what a verifier does ─────────────────────────────────────────────────────────────────────


async def mine(context: Context) -> Sequence[Webhook]:
    """Return the webhooks of the verifier that asks.

    Raises:
        UnauthenticatedError, ForbiddenError: no verifier asks.
    """
    asking = await _asking(context)
    async with context.reads.one(), context.database.session() as session:
        return await rows.of_verifier(session, asking.code, live=asking.live)


async def register(context: Context, url: str) -> Opened:
    """Have changes sent to an address from now on, and return the webhook with its secret.

    Raises:
        WebhookRefusedError: nothing is sent to such an address, or to so many.
        UnauthenticatedError, ForbiddenError: no verifier asks.
    """
    asking = context.viewer.asking()
    _check(url, context.authority.issuer)
    new, secret = f"wh_{secrets.token_hex(16)}", signing.new_secret()
    async with context.database.begin() as session:
        await verifier.spend(session, asking)
        if len(await rows.of_verifier(session, asking.code, live=asking.live)) >= MOST:
            raise errors.WebhookRefusedError(f"You have {MOST} webhooks, as many as you may.")
        found = Webhook(
            handle=new,
            verifier=asking.code,
            live=asking.live,
            url=url,
            secret=_sealed(context.authority, new, [_Secret(secret)]),
            created_at=context.now,
            seen=await rows.last_event(session),
        )
        session.add(found)
    return Opened(found, secret)


async def rotate(context: Context, handle: str) -> Opened:
    """Give a webhook a new secret; the old one counts beside it for a day.

    Raises:
        UnknownWebhookError: the verifier has none of this name.
        UnauthenticatedError, ForbiddenError: no verifier asks.
    """
    secret = signing.new_secret()
    async with context.database.begin() as session:
        found = await _found(context, session, handle)
        before = _secrets(context.authority, found)[0].text
        both = [_Secret(secret), _Secret(before, context.now + OVERLAP)]
        found.secret = _sealed(context.authority, handle, both)
    return Opened(found, secret)


async def end(context: Context, handle: str) -> Webhook:
    """Send nothing to a webhook any more, and return it; raises as ``rotate``."""
    async with context.database.begin() as session:
        found = await _found(context, session, handle)
        found.ended_at = context.now
    return found


async def replay(context: Context, handle: str, after: str | None) -> Webhook:
    """Send a webhook anew what came after a cursor of ``changes``, or all there ever was.

    Raises:
        BadCursorError: the cursor was not given out to this verifier.
        UnknownWebhookError, UnauthenticatedError, ForbiddenError: as ``rotate``.
    """
    beyond = _beyond(context.viewer.asking(), after)
    async with context.database.begin() as session:
        found = await _found(context, session, handle)
        await rows.rewind(session, found, beyond)
    return found


async def changes(context: Context, first: int | None, after: str | None) -> Page[Notice]:
    """Return what the verifier that asks was told, or would have been, in order.

    Raises:
        BadCursorError: the cursor was not given out to this verifier.
        BadInputError: an argument is out of range.
        UnauthenticatedError, ForbiddenError: no verifier asks.
    """
    asking, many = await _asking(context), page.size(first)
    areas = areas_of(context.catalogue, asking.services)
    async with context.reads.one(), context.database.session() as session:
        found = await rows.befell(
            session,
            asking.code,
            live=asking.live,
            after=_beyond(asking, after),
            most=many + 1 if areas else 0,
        )
    ids = {_id(context.authority, asking.code, one.id): one.id for one in found}
    told = [_notice(context.authority, asking.code, one, areas) for one in found]
    return _scope(asking).page(told, many, lambda notice: ids[notice.id])


def areas_of(catalogue: Catalogue, services: Iterable[str]) -> tuple[str, ...]:
    """Return the areas of the card that a verifier of these services serves."""
    known = (catalogue.services[code] for code in services if code in catalogue.services)
    return tuple(sorted({area for service in known for area in service.areas}))


async def _asking(context: Context) -> Asking:
    """Return the verifier that asks; what it showed is used up, though it only reads."""
    asking = context.viewer.asking()
    if asking.proof is not None:
        async with context.database.begin() as session:
            await verifier.spend(session, asking)
    return asking


async def _found(context: Context, session: Session, handle: str) -> Webhook:
    asking = context.viewer.asking()
    await verifier.spend(session, asking)
    for one in await rows.of_verifier(session, asking.code, live=asking.live):
        if one.handle == handle:
            return one
    raise errors.UnknownWebhookError


def _check(url: str, issuer: str) -> None:
    """Refuse an address that nothing can or may be sent to.

    Whether it is inside is looked at each time something is sent, where its name leads by then.
    """
    try:
        parts = urlsplit(url)
        spelt = url.isascii() and url.isprintable() and " " not in url
        whole = parts.hostname and not parts.fragment and "@" not in parts.netloc
        port = parts.port
    except ValueError:
        spelt = whole = False
        port = None
    if not (spelt and whole and port != 0 and len(url) <= LONGEST_URL):
        raise errors.WebhookRefusedError("This is no address of a server: https, a host, a path.")
    # A hub that is itself reached in the clear is one that somebody builds on.
    if parts.scheme not in {"https", urlsplit(issuer).scheme}:
        raise errors.WebhookRefusedError("Changes are sent by https alone.")


def _scope(asking: Asking) -> Scope:
    return Scope("cardChanges", (asking.code, asking.live))


def _beyond(asking: Asking, after: str | None) -> int:
    return _NO_CURSOR if after is None else int(_scope(asking).key(after))


def _id(authority: Authority, code: str, event: int) -> str:
    """Return what a verifier knows a change by; it does not tell how many there were for others."""
    return "evt_" + authority.pseudonyms.of(code, f"card event {event}")


def _notice(authority: Authority, code: str, found: Befell, areas: tuple[str, ...]) -> Notice:
    holder = authority.pseudonyms.of(code, found.holder)
    return Notice(_id(authority, code, found.id), found.change, found.at, holder, areas)


# ── secrets ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret, and until when it counts where another has taken its place."""

    text: str
    until: datetime | None = None


def _sealed(authority: Authority, handle: str, several: Sequence[_Secret]) -> str:
    return authority.keys.sealed(orjson.dumps(several), handle)


def _secrets(authority: Authority, hook: Webhook) -> list[_Secret]:
    """Return the secrets of a webhook that count now, the newest first."""
    now = authority.clock()
    kept = orjson.loads(authority.keys.opened(hook.secret, hook.handle))
    found = [
        _Secret(one["text"], one["until"] and datetime.fromisoformat(one["until"])) for one in kept
    ]
    return [one for one in found if one.until is None or one.until > now]


# ── what is sent ─────────────────────────────────────────────────────────────────────────────


class Courier:
    """Sends what is to be sent, of all processes one each; ``catalogue`` is the menu in force."""

    def __init__(
        self,
        authority: Authority,
        client: http.HTTPClient,
        catalogue: Callable[[], Catalogue | None],
    ) -> None:
        self._authority = authority
        self._client = client
        self._catalogue = catalogue
        self._sending: dict[asyncio.Task[None], int] = {}

    async def refreshed(self) -> None:
        """Look at what befell cards, and begin to send what is due; wait for none of it."""
        catalogue = self._catalogue()
        if catalogue is None:
            return
        await self._authority.begun()
        await self._look(catalogue)
        await self._begin(catalogue)

    async def settled(self) -> None:
        """Wait until all that is being sent has come to something."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def _look(self, catalogue: Catalogue) -> None:
        """Note whom what befell cards is to be sent to."""
        async with self._authority.database.session() as session:
            behind = await rows.behind(session)
        for hook in behind:
            areas = self._areas(catalogue, hook)
            if areas is not None:
                async with self._authority.database.begin() as session:
                    await self._queue(session, hook, are_any=bool(areas))

    async def _queue(self, session: Session, hook: Webhook, *, are_any: bool) -> None:
        last = await rows.last_event(session)
        found = await rows.befell(
            session,
            hook.verifier,
            live=hook.live,
            after=hook.seen,
            most=_LOOKED if are_any else 0,
        )
        to = found[-1].id if len(found) == _LOOKED else max(last, *(one.id for one in found), 0)
        if await rows.advance(session, hook, to):
            of = self._authority.pseudonyms.of
            holders = {one.id: of(hook.verifier, one.holder) for one in found}
            await rows.queue(session, hook, holders, self._authority.clock())

    def _areas(self, catalogue: Catalogue, hook: Webhook) -> tuple[str, ...] | None:
        """Return the areas a webhook's verifier serves; None while it is out of force."""
        known = self._authority.verifiers.by_code.get(hook.verifier)
        if known is None or known.suspended_at:
            return None
        return areas_of(catalogue, known.services)

    async def _begin(self, catalogue: Catalogue) -> None:
        now = self._authority.clock()
        async with self._authority.database.session() as session:
            due = await rows.due(session, now, _EACH)
        busy = Counter(self._sending.values())
        for delivery, hook, event in due:
            areas = self._areas(catalogue, hook)
            if not areas or busy[hook.id] >= _EACH or busy.total() >= _ALL:
                continue
            async with self._authority.database.begin() as session:
                is_mine = await rows.claim(session, delivery, now + _LEASE)
            if is_mine:
                task = asyncio.create_task(
                    self._send(delivery, hook, self._message(hook, delivery, event, areas))
                )
                self._sending[task] = hook.id
                busy[hook.id] += 1
                task.add_done_callback(self._ended)

    def _message(
        self, hook: Webhook, delivery: Delivery, event: Event, areas: tuple[str, ...]
    ) -> Notice:
        name = _id(self._authority, hook.verifier, event.id)
        return Notice(name, event.change, event.at, delivery.holder, areas)

    async def _send(self, delivery: Delivery, hook: Webhook, message: Notice) -> None:
        """Send one message, and note what came of it."""
        now = self._authority.clock()
        using = [one.text for one in _secrets(self._authority, hook)]
        headers = signing.headers(message.id, now, message.body, using)
        address = urlsplit(hook.url)
        path = address.path + (f"?{address.query}" if address.query else "")
        delivered_at, next_at, problem = None, None, None
        try:
            # What is answered nobody reads, and what it is about stands in no log.
            with http.in_private():
                await self._post(hook, path, message.body, headers)
            delivered_at = self._authority.clock()
        except PartnerError as failure:
            next_at, problem = self._again(delivery, failure), failure.code
        async with self._authority.database.begin() as session:
            await rows.settle(
                session, delivery, delivered_at=delivered_at, next_at=next_at, problem=problem
            )

    async def _post(
        self, hook: Webhook, path: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        origin = urlsplit(hook.url)._replace(path="", query="").geturl()
        client = self._client.partner(f"webhook of {hook.verifier}", origin, _POLICY)
        try:
            await client.send("POST", path, headers=headers, content=body, accept="*/*")
        finally:
            await self._client.forget(client)

    def _again(self, delivery: Delivery, failure: PartnerError) -> datetime | None:
        """Return when what was not taken is sent again; None where it is given up."""
        if delivery.attempts >= len(PAUSES):
            return None
        asked = timedelta(seconds=failure.retry_after_seconds or 0)
        return self._authority.clock() + max(PAUSES[delivery.attempts], min(asked, PAUSES[-1]))

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        if not task.cancelled() and (wrong := task.exception()):
            _log.error("a message was not sent; it will be, once its lease is over", exc_info=wrong)
