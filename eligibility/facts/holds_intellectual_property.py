"""Whether the person holds a patent or other intellectual property.

>>> from models.talent import Attestation
>>> row = Attestation(name="holds_intellectual_property", value=True, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> holds_intellectual_property.read(person, date(2024, 4, 30))
True
>>> holds_intellectual_property.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Patent or other intellectual property",
    "专利等知识产权",
    "Do you hold a patent or other intellectual property?",
    "您是否拥有专利等知识产权？",
    "Provisional points table, notice 外专发〔2017〕40号: background, 5 points",
)
def holds_intellectual_property(person: Talent, on: date) -> bool | None:
    return people.attested_yes_no(person, "holds_intellectual_property", on)
