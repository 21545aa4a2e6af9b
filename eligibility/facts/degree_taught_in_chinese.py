"""Whether a degree of the person was taught in Chinese.

>>> from models.talent import Attestation
>>> row = Attestation(name="degree_taught_in_chinese", value=True, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> degree_taught_in_chinese.read(person, date(2024, 4, 30))
True
>>> degree_taught_in_chinese.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Degree taught in Chinese",
    "以汉语为教学语言的学位",
    "Was one of your degrees taught in Chinese?",
    "您是否取得以汉语为教学语言的学位？",
    "Work-permit points tables of 2016 and 2017: Chinese",
)
def degree_taught_in_chinese(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "degree_taught_in_chinese", on)
