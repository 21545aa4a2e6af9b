"""How many of the person's children are 3 to 5 years old.

>>> children_of_kindergarten_age.read(Talent(household=[]), date(2024, 4, 30))
0
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Children of kindergarten age",
    "幼儿园适龄子女数",
    "How many of your children are 3 to 5 years old?",
    "您有几个3至5岁的子女？",
    "S3: children's schooling; age band set by the hub",
    unit="children",
    reached=lambda person, _: people.band_days(person, 3, 5),
)
def children_of_kindergarten_age(person: Talent, on: date) -> int | None:
    return people.children_aged(person, on, 3, 5)
