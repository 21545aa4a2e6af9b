"""Whether a residence permit of the person holds on the day.

>>> holds_residence_permit.read(Talent(nationality="CN"), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Holds a valid residence permit",
    "持有有效的居留许可",
    "Do you hold a valid residence permit?",
    "您是否持有有效的外国人居留许可？",
    "S4: visas, residence permits, and work permits",
)
def holds_residence_permit(person: Talent, on: date) -> bool | None:
    return people.holds_permit(person, "RESIDENCE_PERMIT", on)
