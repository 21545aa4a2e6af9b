"""Whether the person's spouse owns a home in Shanghai; without a spouse, no.

>>> spouse_owns_home_in_city.read(Talent(household=[]), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Spouse owns a home in the city",
    "配偶在本市有住房",
    "Does your spouse own a home in Shanghai?",
    "您的配偶在上海是否有自有住房？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: neither owns a home",
)
def spouse_owns_home_in_city(person: Talent, on: date) -> bool | None:
    other = people.spouse(person)
    return other.owns_home if other else False
