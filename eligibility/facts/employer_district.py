"""The slug of the district of the person's employer.

>>> employer_district.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.choice(
    "District of the employer",
    "单位所在区",
    "In which district is your employer?",
    "您的单位在哪个区？",
    "S0: enterprises based in Changning",
)
def employer_district(person: Talent, on: date) -> str | None:
    held = people.employment(person, on)
    return held.organisation.district if held else None
