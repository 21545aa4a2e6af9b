"""What one query has to do with partners: whom it asks, how often, from which memory, how long."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from connectors import errors, http
from connectors.base import Inquiry
from connectors.partner import Answer, Freshness, Partner, Supply

A = TypeVar("A")


class Mode(StrEnum):
    """How a plan is told: alone, with nobody asked, or with the answer that came of it."""

    ONLY = "only"
    WITH = "with"


@dataclass(slots=True)
class Part:
    """One partner's part: ``calls`` are exchanges, ``seconds`` what it takes; None is unknown."""

    kind: str
    inquiries: int = 0
    facts: int = 0
    calls: int = 0
    answers: Counter[Freshness] = field(default_factory=Counter)
    problem: errors.Problem | None = None
    seconds: float | None = 0.0

    def told(self) -> dict[str, object]:
        """Return this as JSON has it."""
        return {
            "kind": self.kind,
            "inquiries": self.inquiries,
            "facts": self.facts,
            "calls": self.calls,
            "answers": {one.value: self.answers[one] for one in Freshness if self.answers[one]},
            "problem": self.problem,
            "milliseconds": _milliseconds(self.seconds),
        }


class Plan:
    """One query's plan, made while it runs: of what is asked, or of what would be."""

    def __init__(self, mode: Mode, partners: Mapping[str, Partner]) -> None:
        self.mode = mode
        self._partners = partners
        self._parts: defaultdict[str, list[Part]] = defaultdict(list)

    @property
    def is_dry(self) -> bool:
        """Whether nobody is asked, and no data given."""
        return self.mode is Mode.ONLY

    async def ask(
        self,
        partner: str,
        inquiries: Sequence[Inquiry],
        ask: Callable[[], Awaitable[Sequence[Answer]]],
    ) -> Sequence[Answer]:
        """Return what ``ask`` does, and note it; or what it would be, and leave it."""
        asked = self._partners[partner]
        part = Part(asked.kind.slug, inquiries=len(inquiries))
        self._parts[partner].append(part)
        if self.is_dry:
            answers: Sequence[Answer] = asked.foreseen(inquiries)
            if any(one.freshness is Freshness.LIVE for one in answers):
                _expect(part, asked)
        else:
            answers = await _measured(part, ask)
        part.answers.update(one.freshness for one in answers)
        part.problem = next((one.problem for one in answers if one.problem), None)
        return answers

    async def supply(
        self, partner: str, facts: int, ask: Callable[[], Awaitable[Supply]]
    ) -> Supply:
        """Return what ``ask`` does, and note it; or leave it, as if nothing were known."""
        asked = self._partners[partner]
        part = Part(asked.kind.slug, facts=facts)
        self._parts[partner].append(part)
        if self.is_dry:
            if (held := asked.held()) is None:
                _expect(part, asked)
            else:
                part.problem = held.problem
            return Supply(partner)
        supply = await _measured(part, ask)
        part.problem = supply.failure.problem if supply.failure else None
        return supply

    def told(self, cost: int, most: int) -> dict[str, object]:
        """Return the plan as JSON has it.

        Args:
            cost: The query's points of cost.
            most: How many it might have.
        """
        parts = [one for several in self._parts.values() for one in several]
        times = [one.seconds for one in parts]
        return {
            "mode": self.mode,
            "cost": cost,
            "costLimit": most,
            "calls": sum(one.calls for one in parts),
            "milliseconds": _milliseconds(_slowest(times)),
            "partners": [
                {"partner": slug, **one.told()}
                for slug, several in sorted(self._parts.items())
                for one in several
            ],
        }


def _expect(part: Part, asked: Partner) -> None:
    """Note what asking a partner has cost lately; before the first time, one call at least."""
    health = asked.health()
    part.calls = max(1, round(health.calls / health.asked)) if health.asked else 1
    part.seconds = health.p95_seconds


async def _measured(part: Part, ask: Callable[[], Awaitable[A]]) -> A:
    clock = asyncio.get_running_loop().time
    began = clock()
    with http.counted() as count:
        found = await ask()
    part.calls, part.seconds = count.exchanges, clock() - began
    return found


def _slowest(times: Sequence[float | None]) -> float | None:
    """Return the longest of these; None where one is unknown. Partners are asked side by side."""
    known = [one for one in times if one is not None]
    return max(known, default=0.0) if len(known) == len(times) else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
