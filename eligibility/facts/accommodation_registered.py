"""Whether the person registered an accommodation since the last arrival.

>>> accommodation_registered.read(Talent(), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Accommodation registered",
    "已办理住宿登记",
    "Have you registered your accommodation since you last entered China?",
    "您最近一次入境后是否办理了住宿登记？",
    "S1: accommodation registration and self-declaration online",
)
def accommodation_registered(person: Talent, on: date) -> bool | None:
    registered = people.attested_day(person, "accommodation_registered_on", on)
    arrived = people.attested_day(person, "arrived_on", on)
    if registered is None:
        return None
    return arrived is None or registered >= arrived
