"""The slug of the province or city of the person's employer.

>>> employer_region.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.choice(
    "Region of the employer",
    "单位所在省市",
    "In which province or city is your employer?",
    "您的单位在哪个省市？",
    "S4: companies in the Yangtze River Delta region",
)
def employer_region(person: Talent, on: date) -> str | None:
    held = people.employment(person, on)
    return held.organisation.region if held else None
