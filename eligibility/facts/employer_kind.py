"""The kind of organisation that employs the person.

>>> employer_kind.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.choice(
    "Kind of employer",
    "单位类型",
    "Is your employer a university, a research institute or an enterprise?",
    "您的单位是高校、科研院所还是企业？",
    "S0: universities, research institutes and enterprises based in Changning",
    choices=("UNIVERSITY", "RESEARCH_INSTITUTE", "ENTERPRISE"),
    may_be_none=True,
)
def employer_kind(person: Talent, on: date) -> str | None:
    held = people.employment(person, on)
    return held.organisation.kind if held else None
