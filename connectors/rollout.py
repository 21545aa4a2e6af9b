"""How a changed partner file is tried: on a share of asks, with the file before it behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors import base, errors, manifest, partner
from models.offer import Capability

#: The golden ratio's fraction. Its multiples are spread evenly, and meet no rhythm of the queries:
#: whichever come at regular places among them, the same share of these is taken.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of asks on trial: good ones, those in vain, and what was wrong with the last."""

    good: int = 0
    failed: int = 0
    problem: errors.Problem | None = None


class Candidate(partner.Partner):
    """A partner by a changed file, on trial: where it fails, the one in force is asked instead.

    An ask is good where the partner answered it, and in vain where it did not and the one in force
    then had an answer: what fails by either file says nothing of the change. Nothing is served as
    CACHED on trial, and bookings are made by the file in force. ``digest`` is the changed file's.
    """

    def __init__(
        self,
        described: manifest.Manifest,
        connector: base.Connector[Any],
        clock: Callable[[], datetime],
        digest: str,
        in_force: partner.Partner,
        rollout: manifest.Rollout,
    ) -> None:
        super().__init__(described, connector, clock, always_live=True)
        self.digest = digest
        self.in_force = in_force
        self.rollout = rollout
        #: What came of asks and was not ``told`` yet.
        self.tally = Tally()
        self._turns = 0
        self._in_vain = 0

    @property
    def books(self) -> frozenset[Capability]:
        """What the file in force lets the hub book."""
        return self.in_force.books

    def takes(self) -> bool:
        """Return whether the next query asks by this file: evenly, so many of a hundred."""
        self._turns += 1
        return (self._turns * _GOLDEN) % 1 * 100 < self.rollout.percent

    def told(self, tally: Tally) -> None:
        """Leave out from now on what somebody keeps."""
        self.tally = replace(
            self.tally, good=self.tally.good - tally.good, failed=self.tally.failed - tally.failed
        )

    async def ask(self, inquiries: Sequence[base.Inquiry], deadline: float) -> list[partner.Answer]:
        """Return an answer to each inquiry: where this one fails, that of the one in force."""
        if self._has_failed():
            return await self.in_force.ask(inquiries, deadline)
        answers = await super().ask(inquiries, _half(deadline))
        failed = next((one for one in answers if one.problem), None)
        if failed is None or failed.problem is None:
            self._count(good=1)
            return answers
        instead = await self.in_force.ask(inquiries, deadline)
        if not any(one.problem for one in instead):
            self._count(failed=1, problem=failed.problem)
        return instead

    async def supply(self, subject: str, names: frozenset[str], deadline: float) -> partner.Supply:
        """Return what is known of a person: where this one fails, by the one in force."""
        if self._has_failed() or not names <= {*self.manifest.supplies}:
            return await self.in_force.supply(subject, names, deadline)
        supply = await super().supply(subject, names, _half(deadline))
        if supply.failure is None:
            self._count(good=1)
            return supply
        instead = await self.in_force.supply(subject, names, deadline)
        if instead.failure is None:
            self._count(failed=1, problem=supply.failure.problem)
        return instead

    async def book(
        self,
        act: base.Act,
        order: base.Order,
        booked: base.Booked | None,
        deadline: float,
    ) -> base.Booked | None:
        """Do one act about a booking, by the file in force: an act is not tried twice."""
        return await self.in_force.book(act, order, booked, deadline)

    def _has_failed(self) -> bool:
        return self._in_vain >= self.rollout.failures

    def _count(
        self, *, good: int = 0, failed: int = 0, problem: errors.Problem | None = None
    ) -> None:
        self._in_vain += failed
        before = self.tally
        self.tally = Tally(before.good + good, before.failed + failed, problem or before.problem)


def _half(deadline: float) -> float:
    """Return the time at which half of what is left has passed: the rest is for whoever is next."""
    now = asyncio.get_running_loop().time()
    return now + (deadline - now) / 2
