"""For how many months of a year the person works in China.

>>> from models.talent import Attestation
>>> row = Attestation(name="months_worked_in_china", value=9, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> months_worked_in_china.read(person, date(2024, 4, 30))
9
>>> months_worked_in_china.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Months of work in China a year",
    "每年在中国工作月数",
    "For how many months a year do you work in China?",
    "您每年在中国工作几个月？",
    "Work-permit points tables of 2016 and 2017: time worked in China a year",
    unit="months a year",
)
def months_worked_in_china(person: Talent, on: date) -> int | None:
    return people.attested_number(person, "months_worked_in_china", on)
