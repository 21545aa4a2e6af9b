"""Whether the person has had a housing-policy benefit before.

>>> had_housing_benefit.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Had a housing benefit before",
    "曾享受住房保障政策",
    "Have you had a housing-policy benefit before?",
    "您是否享受过住房保障政策？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: without earlier housing benefit",
)
def had_housing_benefit(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "had_housing_benefit", on)
