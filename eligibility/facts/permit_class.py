"""The person's class: HIGH, MEDIUM or LOW, lowest first in order.

>>> permit_class.read(Talent(talent_class="HIGH"), date(2024, 4, 30))
'HIGH'
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.choice(
    "Class of foreign talent",
    "外国人才类别",
    "Which class is your work permit: high, medium or low level (A, B or C)?",
    "您的工作许可属于哪一类：高端、中端还是普通（A、B、C）？",
    "S2: classified management of high-level, medium-level and low-level foreigners",
    choices=people.CLASSES,
    ordered=True,
)
def permit_class(person: Talent, on: date) -> str | None:
    return person.talent_class
