"""The sort of area that the person works in, as the points tables tell areas apart.

>>> from models.talent import Attestation
>>> row = Attestation(name="work_location", value="WEST", valid_from=date(2024, 1, 1))
>>> person = Talent(attestations=[row], employments=[])
>>> work_location.read(person, date(2024, 4, 30))
'WEST'
>>> work_location.read(Talent(attestations=[], employments=[]), date(2024, 4, 30)) is None
True
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent

AREAS = (
    "WEST",
    "NORTHEAST_INDUSTRIAL_BASE",
    "CENTRAL_POVERTY_COUNTY",
    "OTHER_POVERTY_COUNTY",
    "SPECIAL_AREA",
    "ELSEWHERE",
)
#: The tables give no points for a place of work in these.
_WITHOUT = ("shanghai", "beijing")


@fact.choice(
    "Area of the place of work",
    "工作地区",
    "Do you work in the west, in the northeastern old industrial base, in a national poverty "
    "county (of the central region or another), in a special area, or elsewhere?",
    "您的工作地点在西部、东北老工业基地、国家级贫困县（中部或其他地区）、特殊地区，还是其他地区？",
    "Work-permit points tables of 2016 and 2017: location; no such points in Shanghai and Beijing",
    choices=AREAS,
)
def work_location(person: Talent, on: date) -> str | None:
    held = people.employment(person, on)
    if held and held.organisation.region in _WITHOUT:
        return "ELSEWHERE"
    return people.attested_word(person, "work_location", AREAS, on)
