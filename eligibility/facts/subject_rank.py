"""The best world rank by subject among the person's degrees.

>>> from models.talent import Degree
>>> person = Talent(degrees=[Degree(subject_rank=12, awarded_on=date(2023, 7, 1))])
>>> subject_rank.read(person, date(2024, 4, 30))
12
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.number(
    "World rank in the subject",
    "学科世界排名",
    "What was the world ranking of your university in your subject?",
    "您所学学科的世界排名是？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: top-20 in the field",
    unit="place",
)
def subject_rank(person: Talent, on: date) -> int | None:
    ranks = [
        degree.subject_rank
        for degree in person.degrees
        if degree.awarded_on <= on and degree.subject_rank is not None
    ]
    return min(ranks, default=None)
