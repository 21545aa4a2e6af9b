"""Whether the person was a Chinese national before.

>>> from models.talent import Attestation
>>> row = Attestation(name="former_chinese_national", value=True, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> former_chinese_national.read(person, date(2024, 4, 30))
True
>>> former_chinese_national.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Former Chinese national",
    "原中国公民",
    "Were you a Chinese national before?",
    "您是否曾为中国公民？",
    "Provisional points table, notice 外专发〔2017〕40号: Chinese, 5 points",
)
def former_chinese_national(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "former_chinese_national", on)
