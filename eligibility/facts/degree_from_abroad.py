"""Whether one of the person's degrees was awarded abroad.

>>> from models.talent import Degree
>>> person = Talent(degrees=[Degree(country="AU", awarded_on=date(2023, 7, 1))])
>>> degree_from_abroad.read(person, date(2024, 4, 30))
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.yes_no(
    "Degree from abroad",
    "海外学位",
    "Was one of your degrees awarded outside the Chinese mainland?",
    "您是否取得中国大陆以外的学位？",
    "S1: overseas returnees",
)
def degree_from_abroad(person: Talent, on: date) -> bool | None:
    countries = [degree.country for degree in person.degrees if degree.awarded_on <= on]
    return any(country != "CN" for country in countries) if countries else None
