"""The person's age in whole years.

>>> age.read(Talent(birth_date=date(2004, 2, 29)), date(2025, 2, 28))
20
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Age",
    "年龄",
    "What is your date of birth?",
    "您的出生日期是？",
    "Hub register: birth date",
    unit="years",
    reached=lambda person, years: people.anniversaries([person.birth_date], years),
)
def age(person: Talent, on: date) -> int | None:
    return None if person.birth_date is None else people.years_between(person.birth_date, on)
