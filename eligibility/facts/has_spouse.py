"""Whether a spouse is registered in the person's household.

>>> from models.talent import Member
>>> person = Talent(household=[Member(relation="SPOUSE")])
>>> has_spouse.read(person, date(2024, 4, 30))
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Has a spouse in the household",
    "有配偶",
    "Are you married?",
    "您是否已婚？",
    "Hub register: household",
)
def has_spouse(person: Talent, on: date) -> bool:
    return people.spouse(person) is not None
