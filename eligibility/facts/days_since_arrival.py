"""Whole days since the person last entered the country.

>>> days_since_arrival.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Days since arrival",
    "入境天数",
    "When did you last enter China?",
    "您最近一次入境是何时？",
    "S1: 24-hour entry and residence registration",
    unit="days",
    reached=lambda person, days: people.days_on(people.attested_days(person, "arrived_on"), days),
)
def days_since_arrival(person: Talent, on: date) -> int | None:
    arrived = people.attested_day(person, "arrived_on", on)
    return None if arrived is None else (on - arrived).days
