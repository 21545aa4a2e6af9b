"""Whether the person is socially insured in Shanghai.

>>> insured_in_shanghai.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Insured in Shanghai",
    "在上海参加社会保险",
    "Do you pay social insurance in Shanghai?",
    "您是否在上海缴纳社会保险？",
    "Hub register: social insurance attestation",
)
def insured_in_shanghai(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "insured_in_shanghai", on)
