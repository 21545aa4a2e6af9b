"""For how many months the person's present residence permit was issued.

>>> residence_permit_months.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date, timedelta

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Length of the residence permit",
    "居留许可期限",
    "From when until when is your residence permit valid?",
    "您的居留许可有效期起止日期是？",
    "District Education Bureau 2023-09-12: residence permit of one year or more",
    unit="months",
)
def residence_permit_months(person: Talent, on: date) -> int | None:
    held = people.permits(person, "RESIDENCE_PERMIT", on)
    if not held or held[0].valid_until is None:
        return None
    return people.months_between(held[0].valid_from, held[0].valid_until + timedelta(days=1))
