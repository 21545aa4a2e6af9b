"""Entitlements: whether a good card opens a service, by the rulebook, and how often still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from eligibility import rulebook
from models import menu, talent
from models.answer import EntitlementProblem
from models.redemption import Quota
from resolvers import menu as catalogues
from resolvers import talent as people
from resolvers.context import ZONE
from resolvers.menu import Catalogue


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a service takes of a card: units of these areas, whole again at ``resets_at``."""

    service: str
    quotas: tuple[Quota, ...]
    resets_at: datetime | None

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas, of which one unit each is used."""
        return tuple(one.area for one in self.quotas)

    @property
    def limited(self) -> bool:
        """Whether it may be used only so often."""
        return any(one.units is not None for one in self.quotas)


def of(catalogue: Catalogue, code: str, on: date) -> Entitlement:
    """Return what a service of the menu takes of a card on a day."""
    areas = {area.code: area for area in catalogue.lists.areas}
    wanted = [areas[one] for one in catalogue.services[code].areas]
    quotas = tuple(_quota(area, on) for area in wanted)
    resets = [one.until for one in quotas if one.until is not None]
    return Entitlement(code, quotas, max(resets, default=None))


def reads(catalogue: Catalogue, code: str, on: date) -> frozenset[str] | None:
    """Return which lists of a person the rule of a service is judged on; None: maybe all."""
    facts = catalogue.rulebook.judge(code, on).tree.facts.values()
    if any(fact.reads is None for fact in facts):
        return None
    return frozenset().union(*(fact.reads or () for fact in facts))


def problem(
    catalogue: Catalogue, code: str, person: talent.Talent, on: date
) -> EntitlementProblem | None:
    """Return why a person may not have a service on a day, or None where they may.

    What only a partner knows is not asked here: at a till nobody waits for a school office.
    """
    if not catalogues.valid(catalogue.services[code], on):
        return EntitlementProblem.OUTSIDE_DATES
    judge = catalogue.rulebook.judge(code, on)
    known = rulebook.facts_of(person, on, judge.tree.facts.values())
    return None if judge.truth(known) else EntitlementProblem.NOT_IN_TIER


def _quota(area: menu.Area, on: date) -> Quota:
    if area.quota is None:
        return Quota(area.code, None, _begin(on), None)
    since, following = people.period(area.quota, on)
    return Quota(area.code, area.quota.units, since, _begin(following))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(tzinfo=ZONE))
