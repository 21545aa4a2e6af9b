"""What rules may ask of the members of a household, and how many of them it holds of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from eligibility import fact
from eligibility import person as people
from eligibility.condition import Condition, Value
from models.talent import Member

#: A member as rules see them: the value of each member's fact by name, None where not known.
Seen = Mapping[str, Value | None]


@fact.choice(
    "Relation", "关系", "What is this member to you?", "该成员与您是什么关系？",
    "Hub register: household", choices=("SPOUSE", "CHILD"),
)  # fmt: skip
def relation(member: Member, on: date) -> str:
    """What the member is to the person."""
    return member.relation


@fact.number(
    "Age", "年龄", "What is this member's date of birth?", "该成员的出生日期是？",
    "Hub register: household", unit="years",
    reached=lambda member, years: people.anniversaries([member.birth_date], years),
)  # fmt: skip
def age(member: Member, on: date) -> int | None:
    """The member's age in whole years."""
    return None if member.birth_date is None else people.years_between(member.birth_date, on)


@fact.yes_no(
    "Foreign national", "外国公民", "Is this member a foreign national?", "该成员是否为外国公民？",
    "Hub register: household",
)  # fmt: skip
def foreign_national(member: Member, on: date) -> bool | None:
    """Whether the member has another nationality than Chinese."""
    return None if member.nationality is None else member.nationality != "CN"


@fact.yes_no(
    "Owns a home in the city", "在本市有住房", "Does this member own a home in Shanghai?",
    "该成员在上海是否有自有住房？", "Hub register: household",
)  # fmt: skip
def owns_home(member: Member, on: date) -> bool | None:
    """Whether the member owns a home in Shanghai."""
    return member.owns_home


@fact.yes_no(
    "Had a housing benefit", "曾享受住房保障", "Has this member had a housing benefit?",
    "该成员是否曾享受住房保障？", "Hub register: household",
)  # fmt: skip
def had_housing_benefit(member: Member, on: date) -> bool | None:
    """Whether the member has had a housing benefit."""
    return member.had_housing_benefit


#: All that may be asked of a member, by name.
FACTS: Mapping[str, fact.Fact] = {
    one.name: one for one in (relation, age, foreign_national, owns_home, had_housing_benefit)
}


def seen(members: Iterable[Member], on: date) -> tuple[dict[str, Value | None], ...]:
    """Return the members as rules see them on a day."""
    return tuple({name: one.known(member, on) for name, one in FACTS.items()} for member in members)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many members, of those ``who`` are meant, have what is asked: from ``low`` to ``high``.

    Both ends are included, None is open. ``every``: the ones counted are those who have it not,
    so that ``every`` with ``high`` 0 says that all have it.
    """

    who: tuple[Condition, ...]
    has: tuple[Condition, ...]
    low: int | None = None
    high: int | None = None
    every: bool = False

    def truth(self, members: Iterable[Seen] | None) -> bool | None:
        """Return whether it holds of a household; None where that is not known."""
        if members is None:
            return None
        truths = [self.of(member) for member in members]
        least, most = truths.count(True), len(truths) - truths.count(False)
        if (self.low is not None and most < self.low) or (
            self.high is not None and self.high < least
        ):
            return False
        low = self.low is None or self.low <= least
        return True if low and (self.high is None or most <= self.high) else None

    def of(self, member: Seen) -> bool | None:
        """Return whether a member is counted; None where that is not known."""
        meant, has = _all(self.who, member), _all(self.has, member)
        if self.every and has is not None:
            has = not has
        if meant is False or has is False:
            return False
        return True if meant and has else None


def _all(conditions: Iterable[Condition], member: Seen) -> bool | None:
    truth: bool | None = True
    for one in conditions:
        value: Any = member.get(one.fact)
        if value is None:
            truth = None
        elif not one.holds(value):
            return False
    return truth
