"""A small menu to try things on: sensible defaults, keyword overrides."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from models import menu

NOW = datetime(2026, 11, 22, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
CITED = {"source": "hub"}
CARD_HOLDERS = {
    "id": "card",
    "fact": "holds_card",
    "is": True,
    "text": {"en": "Holds a card", "zh": "持卡"},
    "reference": "hub",
}


def a_service(code: str, **given) -> dict:
    """A service for everyone, in the first category, without partners."""
    return {
        "code": code,
        "category": "arrival",
        "audience": ["RETURNEE"],
        "name": {"en": f"The {code}", "zh": "服务"},
        "summary": {"en": "A summary."},
        "description": {"en": "A description."},
        "steps": [{"text": {"en": "Come."}, "channel": "WINDOW"}],
        "fee": {"amount": "0", "citation": CITED},
        "promise": {"high": 1, "medium": 2, "low": 3, "citation": CITED},
        "where": {},
        "eligibility": "everyone",
        "citations": [CITED],
        "valid": {"since": "2024-01-01"},
        "assured": {"at": "2026-11-01", "by": "A desk", "stale_after": "2027-05-01"},
        "examples": [{"name": "anyone", "given": {}, "outcome": "ELIGIBLE"}],
        **given,
    }


def coded(*codes: str, **more) -> list[dict]:
    return [{"code": code, "name": {"en": code}, "citation": CITED, **more} for code in codes]


def a_menu(*services: dict) -> menu.Menu:
    """A menu of these services, with a few lists around them."""
    return menu.Menu.model_validate(
        {
            "sources": [{"code": "hub", "title": "Own", "publisher": "Hub"}],
            "categories": coded("arrival", "leisure"),
            "platform_areas": coded("medical"),
            "policies": coded("health"),
            "industries": coded("civil-aviation", aliases=["aviation services"]),
            "areas": [
                *coded("films", policy="health", quota={"units": 2, "period": "MONTH"}),
                *coded("check", policy="health", quota={"units": 1, "period": "YEAR"}),
                *coded("doctor", policy="health"),
            ],
            "documents": coded("passport"),
            "stations": [
                {
                    "code": "centre",
                    "kind": "CENTER",
                    "name": {"en": "Centre"},
                    "place": {"en": "Here"},
                    "district": "changning",
                    "citation": CITED,
                }
            ],
            "journeys": [],
            "figures": [],
            "services": services,
        }
    )
