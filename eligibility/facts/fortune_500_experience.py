"""Whether the person has worked for a company of the Fortune 500.

>>> from models.talent import Attestation
>>> row = Attestation(name="fortune_500_experience", value=True, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> fortune_500_experience.read(person, date(2024, 4, 30))
True
>>> fortune_500_experience.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Fortune 500 experience",
    "世界500强企业工作经历",
    "Have you worked for a Fortune 500 company?",
    "您是否有世界500强企业工作经历？",
    "Work-permit points tables of 2016 and 2017: background, 5 points",
)
def fortune_500_experience(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "fortune_500_experience", on)
