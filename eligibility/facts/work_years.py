"""Attested years of relevant work.

>>> work_years.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Years of relevant work",
    "相关工作年限",
    "How many years of relevant work experience do you have?",
    "您有多少年相关工作经验？",
    "Work-permit points table, notice 外专发〔2017〕40号",
    unit="years",
)
def work_years(person: Talent, on: date) -> int | None:
    return people.attested_number(person, "work_years", on)
