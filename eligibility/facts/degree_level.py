"""The person's highest degree on the day: BACHELOR, MASTER or DOCTOR.

>>> from models.talent import Degree
>>> person = Talent(degrees=[Degree(level="MASTER", awarded_on=date(2023, 7, 1))])
>>> degree_level.read(person, date(2024, 4, 30))
'MASTER'
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.choice(
    "Highest degree",
    "最高学位",
    "What is your highest degree?",
    "您的最高学位是？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: master's or higher",
    choices=people.DEGREES,
    ordered=True,
    may_be_none=True,
)
def degree_level(person: Talent, on: date) -> str | None:
    held = [degree.level for degree in person.degrees if degree.awarded_on <= on]
    return max(held, key=people.DEGREES.index, default=None)
