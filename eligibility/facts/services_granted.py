"""The codes of the services the person has been granted and still has; our own register.

>>> services_granted.read(Talent(attestations=[]), date(2024, 4, 30))
frozenset()
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.words(
    "Services granted",
    "已享受的服务",
    "Which of the district's services have you been granted?",
    "您已享受哪些区级服务？",
    "Hub register: decisions; rows called `granted`, dated",
)
def services_granted(person: Talent, on: date) -> frozenset[str]:
    held = people.holding((row for row in person.attestations if row.name == "granted"), on)
    return frozenset(str(row.value) for row in held)
