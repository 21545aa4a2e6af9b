"""Whether the person holds a live talent card; our own register, so never unknown.

>>> holds_card.read(Talent(cards=[]), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.yes_no(
    "Holds a live talent card",
    "持有有效人才卡",
    "Do you hold a talent card?",
    "您是否持有人才卡？",
    "S3: the Talent Card, first batch of 103",
    reads=("cards",),
)
def holds_card(person: Talent, on: date) -> bool:
    return any(
        card.status == "ACTIVE" and card.issued_on <= on <= card.valid_until
        for card in person.cards
    )
