"""Who builds a front end has a partner fail in one query; everybody else's goes on as ever."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

import server
from credentials import token
from models import demo
from resolvers.viewer import Role

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.PILOT)]

CINEMA = "hongqiao-cinema"
PAGES = """
{
  service(code: "film-tickets") {
    ... on Service {
      offers {
        pages {
          partner { code }
          freshness
          observedAt
          retryAfter
          problem { code partner message retryAfter }
          nodes { id }
        }
      }
    }
  }
}
"""
HEALTH = "{ connectors { code breaker calls failures errorRate } }"
#: Each fault, and what the page then says: its freshness, its problem.
FAULTS = {
    "slow:1ms": ("LIVE", None),
    "slow:10s": ("UNAVAILABLE", "PARTNER_TIMEOUT"),
    "hang": ("UNAVAILABLE", "PARTNER_TIMEOUT"),
    "down": ("UNAVAILABLE", "PARTNER_UNREACHABLE"),
    "error": ("UNAVAILABLE", "PARTNER_UNWELL"),
    "error:404": ("UNAVAILABLE", "PARTNER_NOT_FOUND"),
    "html": ("UNAVAILABLE", "PARTNER_WRONG_TYPE"),
    "truncated": ("UNAVAILABLE", "PARTNER_UNREADABLE"),
    "rate-limited:7s": ("UNAVAILABLE", "PARTNER_RATE_LIMITED"),
    "stale:10m": ("STALE", "PARTNER_UNREACHABLE"),
}


def scripted(says: str) -> dict[str, str]:
    return {"X-Greenway-Fault": says}


def page_of(answer, partner=CINEMA) -> dict:
    pages = answer.json()["data"]["service"]["offers"]["pages"]
    return next(one for one in pages if one["partner"]["code"] == partner)


@pytest.fixture
async def well(hub, ask):
    """What the page says while nothing is asked to fail, and remembers from then on."""
    return page_of(await ask(PAGES))


@pytest.fixture
def quick(stand, limited):
    """A hub whose cinema is waited for only shortly."""
    return stand(partners=limited(CINEMA, "deadline_seconds: 0.3"))


@pytest.mark.parametrize("says", FAULTS)
async def test_a_partner_fails_as_the_script_says(quick, says):
    page = page_of(await quick.ask(PAGES, headers=scripted(f"{CINEMA}={says}")))

    freshness, code = FAULTS[says]
    problem = page["problem"]
    assert page["freshness"] == freshness
    assert (problem and problem["code"]) == code
    if problem:
        assert problem["partner"] == CINEMA
        assert problem["retryAfter"] == page["retryAfter"]


async def test_what_is_stale_is_of_so_long_ago(quick, clock):
    page = page_of(await quick.ask(PAGES, headers=scripted("cinema=stale:10m")))

    assert datetime.fromisoformat(page["observedAt"]) == clock.now - timedelta(minutes=10)
    assert page["nodes"]


async def test_a_partner_sent_away_says_when_to_come_back(quick, clock):
    page = page_of(await quick.ask(PAGES, headers=scripted("cinema=rate-limited:7s")))

    back = datetime.fromisoformat(page["retryAfter"]) - clock.now
    assert timedelta(seconds=6) < back <= timedelta(seconds=7)


async def test_nothing_of_it_stays_behind(hub, ask):
    script = scripted("cinema=error")
    before = (await ask(HEALTH)).json()
    for _ in range(10):
        assert page_of(await ask(PAGES, headers=script))["freshness"] == "UNAVAILABLE"

    health, after = (await ask(HEALTH)).json(), page_of(await ask(PAGES))

    assert health == before
    assert after["freshness"] == "LIVE"
    assert after["problem"] is None


async def test_what_is_remembered_is_not_told_nor_forgotten(well, ask):
    failed = page_of(await ask(PAGES, headers=scripted("cinema=down")))
    after = page_of(await ask(PAGES))

    assert failed["freshness"] == "UNAVAILABLE"
    assert after == {**well, "freshness": "CACHED"}


async def test_a_query_at_the_same_time_is_answered_as_ever(quick):
    failing = asyncio.create_task(quick.ask(PAGES, headers=scripted("cinema=hang")))
    while not failing.done():
        assert page_of(await quick.ask(PAGES))["problem"] is None

    assert page_of(await failing)["problem"]["code"] == "PARTNER_TIMEOUT"


@pytest.mark.parametrize("who", ["live", "anonymous"])
async def test_nobody_but_the_sandbox_is_heard(stand, who):
    hub = stand()
    hub.hub.door = _door(hub.hub.door, sandbox=False)
    document = PAGES if who == "live" else HEALTH
    viewer = "holder" if who == "live" else "anonymous"

    plain = await hub.ask(document, viewer=viewer)
    scripts = [scripted("cinema=down"), scripted("no=such=fault")]
    answers = [await hub.ask(document, viewer=viewer, headers=one) for one in scripts]

    assert plain.status == 200
    assert [one.status for one in answers] == [200, 200]
    if who == "live":
        assert [page_of(one)["problem"] for one in answers] == [None, None]


async def test_a_token_of_the_sandbox_is_heard_from_any_issuer(stand):
    hub = stand()
    hub.hub.door = _door(hub.hub.door, sandbox=False)
    bearer = _of_the_sandbox(hub)

    answer = await hub.ask(PAGES, viewer="anonymous", headers={**bearer, **scripted("cinema=down")})

    assert page_of(answer)["problem"]["code"] == "PARTNER_UNREACHABLE"


@pytest.mark.parametrize(
    ("says", "hint"),
    [("cinma=down", "Did you mean “cinema”?"), ("cinema=dwn", "Did you mean “down”?")],
)
async def test_a_script_with_a_mistake_is_refused_with_the_nearest(ask, says, hint):
    answer = await ask(PAGES, headers=scripted(says))

    (error,) = answer.json()["errors"]
    assert answer.status == 400
    assert answer.codes == ["BAD_INPUT"]
    assert error["extensions"]["hint"] == hint


def _door(door, **changed):
    return type(door)(door.issuer, door.audience, door.keys, **changed)


def _of_the_sandbox(hub) -> dict[str, str]:
    """Return the headers of a holder whose token says that it is of the sandbox."""
    signed = token.sign(
        server.development_key(hub.hub.settings),
        token.Claims(demo.handle(demo.PILOT), Role.HOLDER, sandbox=True),
        issuer=server.DEVELOPMENT_ISSUER,
        audience=hub.hub.settings.audience,
        now=hub.clock(),
        lifetime=timedelta(hours=1),
    )
    return {"authorization": f"Bearer {signed}"}
