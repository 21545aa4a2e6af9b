"""The slug of the district that keeps the person's record.

>>> district.read(Talent(district="changning"), date(2024, 4, 30))
'changning'
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.choice(
    "District",
    "所在区",
    "In which district do you live or work?",
    "您在哪个区居住或工作？",
    "Hub register: district of the record",
)
def district(person: Talent, on: date) -> str | None:
    return person.district
