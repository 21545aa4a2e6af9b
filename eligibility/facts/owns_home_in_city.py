"""Whether the person owns a home in Shanghai.

>>> owns_home_in_city.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Owns a home in the city",
    "在本市有住房",
    "Do you own a home in Shanghai?",
    "您在上海是否有自有住房？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: without housing in the city",
)
def owns_home_in_city(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "owns_home", on)
