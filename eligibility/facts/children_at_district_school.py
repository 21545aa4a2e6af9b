"""How many of the person's children go to a school or kindergarten of the district.

The school office knows it; the person's own record does only where it was attested.

>>> from models.talent import Attestation
>>> word = Attestation(
...     name="children_at_district_school", value=2, valid_from=date(2024, 1, 1), valid_until=None
... )
>>> children_at_district_school.read(Talent(attestations=[word]), date(2024, 4, 30))
2
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.number(
    "Children at a school of the district",
    "区内在校子女数",
    "How many of your children go to a school or kindergarten in Changning?",
    "您有几个子女在长宁区的学校或幼儿园就读？",
    "OneRoster 1.2, User.agents: the users that a person answers for; bound to it by the hub",
    unit="children",
)
def children_at_district_school(person: Talent, on: date) -> int | None:
    return people.attested_number(person, "children_at_district_school", on)
