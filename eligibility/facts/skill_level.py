"""The person's level of skill, NONE where it is known that there is none.

>>> from models.talent import Attestation
>>> row = Attestation(name="skill_level", value="TECHNICIAN", valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> skill_level.read(person, date(2024, 4, 30))
'TECHNICIAN'
>>> skill_level.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent

LEVELS = ("NONE", "SENIOR_WORKER", "TECHNICIAN", "SENIOR_TECHNICIAN", "INTERNATIONAL_HIGHEST")


@fact.choice(
    "Level of skill",
    "职业技能水平",
    "Which is your highest certificate of skill: senior worker, technician, senior technician, "
    "the highest international one, or none?",
    "您的最高职业技能证书是：高级工、技师、高级技师，国际职业资格最高级，还是没有？",
    "Provisional points table, notice 外专发〔2017〕40号: education or skill",
    choices=LEVELS,
)
def skill_level(person: Talent, on: date) -> str | None:
    return people.attested_word(person, "skill_level", LEVELS, on)
