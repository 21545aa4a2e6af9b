"""The person's highest award: NONE, EXCELLENT or TOP; our own register, so never unknown.

>>> award_level.read(Talent(awards=[]), date(2024, 4, 30))
'NONE'
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent

LEVELS = ("NONE", "EXCELLENT", "TOP")


@fact.choice(
    "Highest award of the district",
    "区级最高奖项",
    "Have you been awarded by the district: none, excellent or top talent?",
    "您是否获得区级表彰：无、优秀人才或杰出人才？",
    "S0: 115 excellent professionals, including 10 top talents",
    choices=LEVELS,
    ordered=True,
)
def award_level(person: Talent, on: date) -> str:
    held = [award.level for award in person.awards if award.year <= on.year]
    return max(held, key=LEVELS.index, default="NONE")
