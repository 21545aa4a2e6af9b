"""One query draws a member's home page from the menu, the database and every partner."""

from __future__ import annotations

import pytest

from models import demo

pytestmark = pytest.mark.any_database

CATEGORIES = [
    "customs-clearance", "employment", "entrepreneurship", "livelihoods", "enterprises",
    "accommodation", "medical-care", "education", "finance", "insurance", "translation", "travel",
    "training", "legal-consultation",
]  # fmt: skip
PARTNERS = {
    "changning-school-office", "hongqiao-cinema", "jiangsu-road-bank", "jinzhong-road-hospital",
    "tianshan-clinic", "tianshan-school-office", "xinhua-bank", "xinhua-culture-hall",
}  # fmt: skip
BANKS = {"jiangsu-road-bank", "xinhua-bank"}
OFFERED = ("hospital", "checkUp", "bank", "school", "cinema")
#: A person with all that is known of them is nine statements, the card one, what was used one.
STATEMENTS = 11


@pytest.mark.viewer("holder", demo.PILOT)
async def test_the_home_page_is_one_answer_with_one_call_a_partner(hub, ask, home, queries, told):
    await ask("{ edition { revision } }")
    queries.clear()

    answer = await ask(home)

    page = answer.json()["data"]
    assert answer.status == 200
    assert "errors" not in answer.json()
    assert [one["code"] for one in page["categories"]] == CATEGORIES
    assert len(page["me"]["card"]["areas"]) == 12
    assert all(len(one["services"]) >= 3 for one in page.pop("categories"))
    assert told("home", page)
    assert hub.calls() == dict.fromkeys(PARTNERS, 1)
    assert len(queries) <= STATEMENTS


@pytest.mark.viewer("holder", demo.PILOT)
async def test_a_language_tag_gives_chinese_and_marks_what_fell_back(ask, home):
    chinese = (await ask(home, {"language": "zh-CN"})).json()["data"]
    japanese = (await ask(home, {"language": "ja"})).json()["data"]
    header = (await ask("{ areas { name { text language isFallback } } }",
                        headers={"accept-language": "ja, zh;q=0.8"})).json()["data"]  # fmt: skip

    assert chinese["categories"][0]["name"] == {"text": "通关", "isFallback": False}
    assert japanese["categories"][0]["name"] == {"text": "Customs clearance", "isFallback": True}
    assert all(one["area"]["name"]["isFallback"] for one in japanese["me"]["card"]["areas"])
    assert {one["name"]["language"] for one in header["areas"]} == {"zh"}
    assert all(one["name"]["isFallback"] for one in header["areas"])


@pytest.mark.viewer("holder", demo.PILOT)
async def test_however_many_fields_ask_a_partner_is_called_once(hub, ask, queries):
    await ask("{ edition { revision } }")
    queries.clear()
    same = "\n".join(
        f'again{n}: service(code: "medical-green-channel") {{ ... on Service {{ ...Asked }} }}'
        for n in range(12)
    )

    answer = await ask(
        f"""{{
          {same}
          menu(first: 20) {{ nodes {{ ...Asked }} }}
          categories {{ services {{ ...Asked }} }}
          node(id: "Service:film-tickets") {{ ... on Service {{ ...Asked }} }}
          nodes(ids: ["Service:physical-check"]) {{ ... on Service {{ ...Asked }} }}
        }}
        fragment Asked on Service {{
          verdict {{ outcome }}
          offers(first: 1) {{ pages {{ freshness problem {{ code }} nodes {{ title }} }} }}
        }}"""
    )

    assert answer.status == 200
    assert "errors" not in answer.json()
    calls = hub.calls()
    assert set(calls) > PARTNERS
    assert set(calls.values()) == {1}
    assert len(queries) <= STATEMENTS


@pytest.mark.viewer("holder", demo.PILOT)
async def test_what_a_partner_just_said_is_not_asked_again_until_it_is_old(hub, ask, home, clock):
    await ask(home)
    hub.calls()

    again = (await ask(home)).json()["data"]
    calls_at_once = hub.calls()
    clock.pass_seconds(60)
    later = (await ask(home)).json()["data"]

    assert calls_at_once == {}
    assert {one["freshness"] for name in OFFERED for one in again[name]["offers"]["pages"]} == {
        "CACHED"
    }
    held = {name: {one["freshness"] for one in later[name]["offers"]["pages"]} for name in OFFERED}
    # The banks say themselves for how long their answers hold, and no such time has really passed.
    assert held == {name: {"LIVE"} for name in OFFERED} | {"bank": {"CACHED"}}
    assert hub.calls() == dict.fromkeys(PARTNERS - BANKS, 1)


@pytest.mark.parametrize(
    ("viewer", "code", "outcomes"),
    [("anonymous", "UNAUTHENTICATED", {"NEEDS_FACTS"}), ("officer", "FORBIDDEN", {"NEEDS_FACTS"})],
)
async def test_who_is_no_member_has_the_menu_and_no_partner_is_asked(
    hub, ask, home, viewer, code, outcomes
):
    answer = await ask(home, viewer=viewer)

    page = answer.json()["data"]
    assert answer.status == 294
    assert answer.codes == [code]
    assert page["me"] is None
    assert [one["code"] for one in page["categories"]] == CATEGORIES
    assert {page[name]["offers"]["withheld"]["outcome"] for name in OFFERED} == outcomes
    assert hub.calls() == {}
