"""Whether the person studied at a high-level foreign university.

>>> from models.talent import Attestation
>>> row = Attestation(name="high_level_foreign_university", value=True, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> high_level_foreign_university.read(person, date(2024, 4, 30))
True
>>> high_level_foreign_university.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "High-level foreign university",
    "国外高水平大学",
    "Did you graduate from a high-level foreign university?",
    "您是否毕业于国外高水平大学？",
    "Provisional points table, notice 外专发〔2017〕40号: background, 5 points",
)
def high_level_foreign_university(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "high_level_foreign_university", on)
