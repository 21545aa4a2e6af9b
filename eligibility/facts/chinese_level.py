"""Attested HSK level, 0 for none.

>>> chinese_level.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Chinese level",
    "汉语水平",
    "Which HSK level do you have (0 if none)?",
    "您的汉语水平考试（HSK）等级是？（没有填0）",
    "Work-permit points table, notice 外专发〔2017〕40号",
    unit="HSK level",
)
def chinese_level(person: Talent, on: date) -> int | None:
    return people.attested_number(person, "chinese_level", on)
