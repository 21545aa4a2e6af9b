"""Whether the person stands in the district's talent database; our own register, so never unknown.

>>> listed_in_database.read(Talent(listed_on=date(2024, 5, 1)), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.yes_no(
    "Listed in the talent database",
    "已列入人才数据库",
    "Are you listed in the district's talent database?",
    "您是否已列入区人才数据库？",
    "S0: professionals listed in the database can take advantage of green channels",
)
def listed_in_database(person: Talent, on: date) -> bool:
    return person.listed_on is not None and person.listed_on <= on
