"""Whether one of the two certificates that the work permit replaced still holds.

>>> holds_former_certificate.read(Talent(nationality="CN"), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from eligibility import person as people
from models.talent import Talent


@fact.yes_no(
    "Holds a former certificate",
    "持有旧版证件",
    "Do you hold a Foreign Expert Certificate or a Foreigner's Employment License?",
    "您是否持有外国专家证或外国人就业证？",
    "S2: Foreign Expert Certificate and Foreigner's Employment License",
)
def holds_former_certificate(person: Talent, on: date) -> bool | None:
    either = [
        people.holds_permit(person, kind, on)
        for kind in ("FOREIGN_EXPERT_CERTIFICATE", "EMPLOYMENT_LICENCE")
    ]
    return True if True in either else None if None in either else False
