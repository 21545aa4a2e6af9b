"""Whether the person's spouse has had a housing-policy benefit; without a spouse, no.

>>> spouse_had_housing_benefit.read(Talent(household=[]), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Spouse had a housing benefit before",
    "配偶曾享受住房保障政策",
    "Has your spouse had a housing-policy benefit before?",
    "您的配偶是否享受过住房保障政策？",
    "Returnee apartment rule, english.shanghai.gov.cn 2023-12-13: applicant and spouse",
)
def spouse_had_housing_benefit(person: Talent, on: date) -> bool | None:
    other = people.spouse(person)
    return other.had_housing_benefit if other else False
