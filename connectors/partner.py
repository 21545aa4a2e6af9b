"""One partner at work: asks its kind, remembers its last answers, says how true each is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from connectors import base, breaker, errors, exchange, flight, grade, http, manifest, memory
from eligibility import rulebook
from eligibility.condition import Value
from models.offer import Capability, Offers
from models.once import Once

T = TypeVar("T")

#: Of how many of the latest asks it is known what came of them.
LATEST_ASKS = 100

_ASKED = http.Age()
_log = logging.getLogger("greenway.connectors")


class Freshness(StrEnum):
    """How true an answer is."""

    LIVE = "LIVE"
    CACHED = "CACHED"
    STALE = "STALE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner gives to one inquiry, and how true that is.

    ``observed_at`` is when the partner said so, None when UNAVAILABLE. STALE and UNAVAILABLE
    carry the problem; ``retry_after_seconds`` is None when asking again is pointless.
    """

    partner: str
    freshness: Freshness
    offers: Offers = field(default_factory=Offers)
    observed_at: datetime | None = None
    problem: errors.Problem | None = None
    sentence: str | None = None
    retry_after_seconds: float | None = None
    #: Until when, and in which era, a CACHED one is told again to who asks the same.
    fresh_until: datetime | None = None
    era: memory.Era | None = field(default=None, compare=False, repr=False)
    #: What was made of it; who is told the same is given the same answer.
    once: Once = field(default_factory=Once, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Supply:
    """What a partner knows of a person: facts by name, as rules know them; or why it is silent.

    A fact that was asked for and is not there is one that the partner does not know.
    """

    partner: str
    facts: Mapping[str, Value] = field(default_factory=dict)
    failure: errors.PartnerError | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What a partner has been like since the hub started.

    ``asked`` counts the times its kind was asked and ``failed`` those in vain; ``error_rate`` is
    the share of those among the latest. ``calls`` counts the HTTP exchanges that took, of whose
    latest ``p95_seconds`` is the 95th percentile.
    """

    state: breaker.State
    opened_at: datetime | None
    calls: int
    p95_seconds: float | None
    asked: int
    failed: int
    error_rate: float | None
    last_success: datetime | None


_Found = Mapping[base.Inquiry, memory.Remembered]
_Failed = Mapping[base.Inquiry, errors.PartnerError]
_Facts = Mapping[str, Value]


class Partner:
    """One partner file's partner, alive as long as the hub."""

    def __init__(
        self,
        described: manifest.Manifest,
        connector: base.Connector[Any],
        clock: Callable[[], datetime],
        *,
        always_live: bool = False,
    ) -> None:
        self.manifest = described
        self.kind = type(connector)
        self._connector = connector
        self._clock = clock
        self._fresh = timedelta(seconds=0 if always_live else described.freshness.fresh_seconds)
        self._stale = timedelta(seconds=described.freshness.stale_seconds)
        kept = max(described.freshness.fresh_seconds, described.freshness.stale_seconds)
        version = described.model_dump_json()
        self._memory = memory.Memory(connector.partner, version, kept, clock)
        self._flights: flight.Flights[
            tuple[int, tuple[base.Inquiry, ...]], tuple[_Found, _Failed]
        ] = flight.Flights()
        self._supplying: flight.Flights[tuple[str, frozenset[str]], _Facts] = flight.Flights()
        self._asked = 0
        self._failed = 0
        self._lately: deque[errors.Problem | None] = deque(maxlen=LATEST_ASKS)
        self._file_shows: asyncio.Task[tuple[grade.Reason, ...]] | None = None
        self._last_success: datetime | None = None

    @property
    def slug(self) -> str:
        """The partner's name in the graph."""
        return self.manifest.slug

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can be asked for."""
        return self._connector.capabilities_of(self._connector.options)

    @property
    def books(self) -> frozenset[Capability]:
        """What it lets the hub book."""
        return frozenset(self.manifest.books)

    def apart(
        self,
        spoil: Callable[[exchange.Transport], exchange.Transport],
        at: Callable[[datetime], datetime] = lambda now: now,
    ) -> Partner:
        """Return the same partner anew, which shares nothing with this one.

        Args:
            spoil: Makes what carries its requests, of what carries this one's.
            at: What time it takes it for.
        """
        client = self._connector.partner.apart(spoil)
        connector = self.kind(self._connector.options, client)
        return Partner(self.manifest, connector, lambda: at(self._clock()))

    def health(self) -> Health:
        """Return how this partner is; to be asked in the running loop."""
        client = self._connector.partner
        now = asyncio.get_running_loop().time()
        opened = client.breaker.opened_at
        took = sorted(client.latencies)
        return Health(
            state=client.breaker.state(now),
            opened_at=None if opened is None else self._clock() - timedelta(seconds=now - opened),
            calls=client.calls,
            p95_seconds=took[math.ceil(0.95 * len(took)) - 1] if took else None,
            asked=self._asked,
            failed=self._failed,
            error_rate=grade.error_rate(self._lately),
            last_success=self._last_success,
        )

    async def reasons(self) -> tuple[grade.Reason, ...]:
        """Return the evidence for this partner's grade, as it is now."""
        if self._file_shows is None:
            shown = grade.of_file(self.manifest, self.kind, self._connector.options)
            self._file_shows = asyncio.create_task(shown)
        by_file = await asyncio.shield(self._file_shows)
        health = self.health()
        lately = grade.Lately([*self._lately], health.p95_seconds, health.state)
        return by_file + grade.of_answers(lately, self.manifest.limits.deadline_seconds)

    async def ask(self, inquiries: Sequence[base.Inquiry], deadline: float) -> list[Answer]:
        """Return an answer to each inquiry, in order, whatever becomes of the partner.

        Only what is not freshly remembered is asked, all of it at once; who asks the same at the
        same time waits for the same call.

        Args:
            inquiries: What is asked; equal ones are asked once.
            deadline: When the asker stops waiting, in the running loop's time. The partner's own
                deadline holds besides.
        """
        began = self._clock()
        fresh = self._fresh_ones(inquiries, began) if self._fresh else {}
        asked = [one for one in inquiries if one not in fresh] if fresh else inquiries
        pending = tuple(dict.fromkeys(asked))
        found, failed = await self._found(pending, deadline) if pending else ({}, {})
        usable = self._usable_ones(failed, began) if failed else {}
        return [
            self._kept(Freshness.LIVE if last.observed_at >= began else Freshness.CACHED, last)
            if (last := found.get(one))
            else fresh.get(one) or self._instead(usable.get(one), failed.get(one))
            for one in inquiries
        ]

    def held(self) -> errors.PartnerError | None:
        """Return why the partner would not be called now; None where it would be."""
        return self._connector.partner.held()

    def foreseen(self, inquiries: Sequence[base.Inquiry]) -> list[Answer]:
        """Return how each inquiry would be answered now, in order; nobody is asked.

        What would be asked for is LIVE, and empty.
        """
        now = self._clock()
        fresh = self._fresh_ones(inquiries, now)
        usable = self._usable_ones(inquiries, now)
        held = self.held()
        if held is None:
            return [fresh.get(one) or Answer(self.slug, Freshness.LIVE) for one in inquiries]
        return [fresh.get(one) or self._instead(usable.get(one), held) for one in inquiries]

    async def supply(self, subject: str, names: frozenset[str], deadline: float) -> Supply:
        """Return what the partner knows of a person, whatever becomes of the partner.

        Nothing of it is remembered, and nobody waits for a call about somebody else.

        Args:
            subject: What the person is called before this partner.
            names: The facts that are wanted, some of those it supplies.
            deadline: When the asker stops waiting, as for ``ask``.
        """
        about = (subject, names)
        try:
            facts = await self._joined(
                self._supplying, about, partial(self._facts, *about), deadline
            )
        except errors.PartnerError as failure:
            return Supply(self.slug, failure=failure)
        return Supply(self.slug, facts)

    async def book(
        self,
        act: base.Act,
        order: base.Order,
        booked: base.Booked | None,
        deadline: float,
    ) -> base.Booked | None:
        """Do one act about a booking and return how it stands, None where there is none.

        It is done for this caller alone. What was remembered of such offers is forgotten: one
        of them is gone, or back.

        Args:
            act: What is done; FIND does nothing, and alone may return None.
            order: What is booked, and for whom.
            booked: What the partner said of it last, for those acts that go on from there.
            deadline: When the asker stops waiting, as for ``ask``.

        Raises:
            PartnerError: it was not done; or nobody knows, where it ``may_have_acted``.
        """
        ends = asyncio.get_running_loop().time() + self.manifest.limits.deadline_seconds
        try:
            with http.in_private():
                done = partial(self._done, act, order, booked)
                return await self._ask_kind(done, min(ends, deadline))
        finally:
            self._memory.forget(order.capability)

    def _fresh_ones(
        self, inquiries: Sequence[base.Inquiry], now: datetime
    ) -> Mapping[base.Inquiry, Answer]:
        """Return the answers that are remembered and fresh."""
        since = now - self._fresh
        return {
            one: self._kept(Freshness.CACHED, last)
            for one in inquiries
            if (last := self._memory.get(one)) and last.observed_at > since
        }

    def _usable_ones(self, inquiries: Iterable[base.Inquiry], now: datetime) -> _Found:
        """Return what may be served while the partner fails."""
        since = now - self._stale
        return {
            one: last
            for one in inquiries
            if (last := self._memory.get(one)) and last.observed_at >= since
        }

    def _kept(self, freshness: Freshness, last: memory.Remembered) -> Answer:
        """Return the answer that others were given too: what it is told as is kept beside it."""
        made: Answer | None = last.once.get(freshness)
        return made or last.once(freshness, lambda: self._answer(freshness, last))

    def _instead(
        self, last: memory.Remembered | None, failure: errors.PartnerError | None
    ) -> Answer:
        """Return what answers an inquiry that the partner did not."""
        return self._answer(Freshness.STALE if last else Freshness.UNAVAILABLE, last, failure)

    def _answer(
        self,
        freshness: Freshness,
        last: memory.Remembered | None,
        failure: errors.PartnerError | None = None,
    ) -> Answer:
        cached = last if freshness is Freshness.CACHED else None
        return Answer(
            partner=self.slug,
            freshness=freshness,
            offers=last.offers if last else Offers(),
            observed_at=last.observed_at if last else None,
            problem=failure.problem if failure else None,
            sentence=failure.sentence if failure else None,
            retry_after_seconds=failure.retry_after_seconds if failure else None,
            fresh_until=cached.observed_at + self._fresh if cached else None,
            era=cached.era if cached else None,
        )

    async def _found(
        self, inquiries: tuple[base.Inquiry, ...], deadline: float
    ) -> tuple[_Found, _Failed]:
        # Who asks after somebody booked is not told what was so before.
        asked = self._memory.era, inquiries
        start = partial(self._offers, *asked)
        try:
            return await self._joined(self._flights, asked, start, deadline)
        except errors.PartnerError as failure:
            return {}, dict.fromkeys(inquiries, failure)

    async def _joined(
        self,
        flights: flight.Flights[Any, T],
        asked: object,
        ask: Callable[[], Awaitable[T]],
        deadline: float,
    ) -> T:
        """Return what comes of an ask, or of the same ask that is under way.

        Raises:
            PartnerError: the partner failed; or the asker's deadline has passed.
        """
        ends = asyncio.get_running_loop().time() + self.manifest.limits.deadline_seconds
        start = partial(self._ask_kind, ask, ends)
        try:
            return await flights.join(asked, start, ends=ends, deadline=deadline)
        except TimeoutError:
            raise errors.too_slow() from None

    async def _done(
        self, act: base.Act, order: base.Order, booked: base.Booked | None
    ) -> base.Booked | None:
        match act, booked:
            case base.Act.RESERVE, _:
                return await self._connector.reserve(order)
            case base.Act.CONFIRM, base.Booked():
                return await self._connector.confirm(order, booked)
            case base.Act.CANCEL, base.Booked():
                return await self._connector.cancel(order, booked)
        return await self._sought(order)

    async def _sought(self, order: base.Order) -> base.Booked | None:
        try:
            return await self._connector.find(order)
        except NotImplementedError:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED,
                "This partner cannot be asked how a booking stands: its people must be.",
            ) from None

    async def _offers(
        self, era: memory.Era, inquiries: tuple[base.Inquiry, ...]
    ) -> tuple[_Found, _Failed]:
        # Where answers are to be live, none is taken that HTTP would let the hub keep.
        with http.from_memory() if self._fresh else contextlib.nullcontext(_ASKED) as age:
            answers = await self._connector.answer(inquiries)
        said_at = self._clock() - timedelta(seconds=age.seconds)
        found: dict[base.Inquiry, memory.Remembered] = {}
        failed: dict[base.Inquiry, errors.PartnerError] = {}
        for one, given in zip(inquiries, answers, strict=True):
            if isinstance(given, errors.PartnerError):
                failed[one] = given
            else:
                found[one] = memory.Remembered(Offers.of(given), said_at, era)
        self._memory.remember(found)
        return found, failed

    async def _facts(self, subject: str, names: frozenset[str]) -> _Facts:
        with http.in_private():
            told = await self._connector.facts(subject, names)
        known = rulebook.known_facts()
        facts = {}
        for name in names & told.keys():
            value = known[name].taken(told[name])
            if value is None:
                raise errors.bad_answer(f"holds a `{name}` that is none")
            facts[name] = value
        return facts

    async def _ask_kind(self, ask: Callable[[], Awaitable[T]], ends: float) -> T:
        self._asked += 1
        try:
            with http.within(ends):
                found = await ask()
        except errors.PartnerError as failure:
            # That something is taken already is an answer.
            taken = failure.problem is errors.Problem.CONFLICT
            self._note(None if taken else failure.problem)
            raise
        except Exception as fault:  # noqa: BLE001 - a fault in one kind may break its partner alone
            self._note(errors.Problem.MISCONFIGURED)
            # Where it failed, and never what the exception says: it may quote what is somebody's.
            where = "".join(traceback.format_tb(fault.__traceback__))
            what = type(fault).__name__
            _log.error("The kind %s failed at %s: %s\n%s", self.kind.slug, self.slug, what, where)
            raise errors.faulty() from None
        self._note(None)
        self._last_success = self._clock()
        return found

    def _note(self, problem: errors.Problem | None) -> None:
        self._failed += problem is not None
        self._lately.append(problem)
