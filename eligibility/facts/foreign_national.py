"""Whether the person is a national of another country.

>>> foreign_national.read(Talent(nationality="NO"), date(2024, 4, 30))
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.yes_no(
    "Foreign national",
    "外国国籍",
    "Are you a national of a country other than China?",
    "您是否为外国公民？",
    "S1: one-stop services for foreign nationals and returnees",
)
def foreign_national(person: Talent, on: date) -> bool | None:
    return None if person.nationality is None else person.nationality != "CN"
