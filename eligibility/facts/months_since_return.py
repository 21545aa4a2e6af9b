"""Whole months since the person returned from abroad.

>>> months_since_return.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Months since returning",
    "回国月数",
    "When did you return to China?",
    "您何时回国？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: returned less than one year",
    unit="months",
    reached=lambda person, months: people.months_on(
        people.attested_days(person, "returned_on"), months
    ),
)
def months_since_return(person: Talent, on: date) -> int | None:
    returned = people.attested_day(person, "returned_on", on)
    return None if returned is None else people.months_between(returned, on)
