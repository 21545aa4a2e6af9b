"""Whether a Foreigner's Work Permit of the person holds on the day.

>>> holds_work_permit.read(Talent(nationality="CN"), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Holds a valid work permit",
    "持有有效的外国人工作许可",
    "Do you hold a valid Foreigner's Work Permit?",
    "您是否持有有效的外国人工作许可证？",
    "S2: two certificates combined into the Foreigner's Work Permit",
)
def holds_work_permit(person: Talent, on: date) -> bool | None:
    return people.holds_permit(person, "WORK_PERMIT", on)
