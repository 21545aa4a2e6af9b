"""The slug of the key industry the person works in.

>>> industry.read(Talent(industry="civil-aviation"), date(2024, 4, 30))
'civil-aviation'
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.choice(
    "Key industry",
    "重点产业",
    "In which industry do you work?",
    "您从事哪个产业？",
    "S0: civil aviation, Internet Plus, and fashion and innovation industries",
)
def industry(person: Talent, on: date) -> str | None:
    return person.industry
