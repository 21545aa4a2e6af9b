"""The points that the place of work has given the person: from 0 to 10.

>>> from models.talent import Attestation
>>> row = Attestation(name="local_points", value=3, valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row])
>>> local_points.read(person, date(2024, 4, 30))
3
>>> local_points.read(Talent(attestations=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Local points",
    "地方鼓励性加分",
    "How many points from 0 to 10 has the local authority given you?",
    "地方主管部门给予您多少加分（0至10分）？",
    "Work-permit points tables of 2016 and 2017: local bonus, set locally",
    unit="points",
)
def local_points(person: Talent, on: date) -> int | None:
    return people.attested_number(person, "local_points", on)
