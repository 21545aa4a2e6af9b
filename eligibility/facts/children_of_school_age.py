"""How many of the person's children are 6 to 17 years old.

>>> from models.talent import Member
>>> person = Talent(household=[Member(relation="CHILD", birth_date=date(2015, 3, 1))])
>>> children_of_school_age.read(person, date(2024, 4, 30))
1
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Children of school age",
    "学龄子女数",
    "How many of your children are 6 to 17 years old?",
    "您有几个6至17岁的子女？",
    "S3: preferential qualification to be enrolled to local schools; age band set by the hub",
    unit="children",
    reached=lambda person, _: people.band_days(person, 6, 17),
)
def children_of_school_age(person: Talent, on: date) -> int | None:
    return people.children_aged(person, on, 6, 17)
