"""For how many whole years without a break the person has worked in China.

>>> from models.talent import Attestation
>>> day = date(2024, 1, 1)
>>> row = Attestation(name="working_in_china_since", value="2019-03-01", valid_from=day)
>>> person = Talent(attestations=[row])
>>> years_working_in_china.read(person, date(2024, 4, 30))
5
>>> years_working_in_china.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Years of continuous work in China",
    "连续在华工作年限",
    "Since when have you worked in China without a break?",
    "您从何时起连续在华工作？",
    "Provisional points table, notice 外专发〔2017〕40号: 5 years bring 5 points",
    unit="years",
    reached=lambda person, years: people.anniversaries(
        people.attested_days(person, "working_in_china_since"), years
    ),
)
def years_working_in_china(person: Talent, on: date) -> int | None:
    since = people.attested_day(person, "working_in_china_since", on)
    return None if since is None else people.years_between(since, on)
