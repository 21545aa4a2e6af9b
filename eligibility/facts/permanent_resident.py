"""Whether the person holds a Foreign Permanent Resident ID Card on the day.

>>> permanent_resident.read(Talent(nationality="CN"), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Holds a permanent residence ID card",
    "持有外国人永久居留身份证",
    "Do you hold a Foreign Permanent Resident ID Card?",
    "您是否持有外国人永久居留身份证？",
    "S4: foreign high-level talents with permanent residence ID cards",
)
def permanent_resident(person: Talent, on: date) -> bool | None:
    return people.holds_permit(person, "PERMANENT_RESIDENCE", on)
