"""The members of the person's household, as rules see them: spouse and children.

>>> household.read(Talent(household=[]), date(2024, 4, 30))
()
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import household as members
from models.talent import Talent


@fact.household(
    "Household",
    "家庭成员",
    "Who lives in your household (relation, date of birth, nationality, housing)?",
    "您的家庭成员有哪些（关系、出生日期、国籍、住房情况）？",
    "S3: children's schooling; returnee apartment rule: the spouse's housing",
)
def household(person: Talent, on: date) -> tuple[members.Seen, ...]:
    return members.seen(person.household, on)
