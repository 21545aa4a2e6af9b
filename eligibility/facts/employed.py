"""Whether the person is employed on the day; an employment we do not know of may exist.

>>> employed.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Employed",
    "在职",
    "Are you employed now?",
    "您目前是否在职？",
    "Hub register: employment",
)
def employed(person: Talent, on: date) -> bool | None:
    return True if people.employment(person, on) else None
