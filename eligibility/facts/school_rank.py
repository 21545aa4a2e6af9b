"""The best world rank among the schools of the person's degrees.

>>> from models.talent import Degree
>>> person = Talent(degrees=[Degree(school_rank=33, awarded_on=date(2023, 7, 1))])
>>> school_rank.read(person, date(2024, 4, 30))
33
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.number(
    "World rank of the school",
    "毕业院校世界排名",
    "What was the world ranking of the university of your highest degree?",
    "您最高学位毕业院校的世界排名是？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: top-100 university",
    unit="place",
)
def school_rank(person: Talent, on: date) -> int | None:
    ranks = [
        degree.school_rank
        for degree in person.degrees
        if degree.awarded_on <= on and degree.school_rank is not None
    ]
    return min(ranks, default=None)
