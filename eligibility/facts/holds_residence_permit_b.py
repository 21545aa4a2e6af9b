"""Whether an Overseas Talent Residence Permit (B) of the person holds on the day.

>>> holds_residence_permit_b.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Holds a Residence Permit B",
    "持有《上海市海外人才居住证》（B证）",
    "Do you hold a Shanghai Overseas Talent Residence Permit (B)?",
    "您是否持有上海市海外人才居住证（B证）？",
    "Measures [2025] No. 3, in force 2025-07-01 to 2030-06-30",
)
def holds_residence_permit_b(person: Talent, on: date) -> bool | None:
    return people.holds_permit(person, "RESIDENCE_PERMIT_B", on)
