"""The person's annual salary in whole yuan.

>>> annual_salary.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Annual salary",
    "年薪",
    "What is your annual salary in yuan?",
    "您的年薪是多少元？",
    "Work-permit points table, notice 外专发〔2017〕40号",
    unit="CNY",
)
def annual_salary(person: Talent, on: date) -> int | None:
    held = people.employment(person, on)
    return int(held.annual_salary) if held and held.annual_salary is not None else None
