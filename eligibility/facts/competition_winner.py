"""Whether a team of the person won the competition; our own register, so never unknown.

>>> competition_winner.read(Talent(teams=[]), date(2024, 4, 30))
False
"""

from __future__ import annotations

from datetime import date

from eligibility import fact
from models.talent import Talent


@fact.yes_no(
    "Won the entrepreneurship competition",
    "创新创业大赛获奖",
    "Did your team win in the district's entrepreneurship competition?",
    "您的团队是否在区创新创业大赛中获奖？",
    "S3: annual innovative entrepreneurship competition since 2014",
)
def competition_winner(person: Talent, on: date) -> bool:
    return any(team.result == "WINNER" and team.edition <= on.year for team in person.teams)
