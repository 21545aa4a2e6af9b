from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from connectors import errors as failures
from connectors.exchange import Reply
from connectors.http import HTTPClient
from credentials import keyring, status
from credentials.keyring import Purpose
from credentials.status import Status
from models import errors
from resolvers import issuer
from resolvers.issuer import Said, Trusted
from tests import check

URI = f"{check.NEIGHBOUR}/status/1"
VCT = f"{check.NEIGHBOUR}/vct/talent-card/1"
SERVICES = ["film-tickets", "medical-green-channel"]


class Neighbour:
    """A hub of another district that publishes one status list, or is silent."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.key = check.a_key(clock(), Purpose.STATUS)
        self.marked = {7: Status.INVALID, 8: Status.SUSPENDED, 9: 3}
        self.asked: list[str] = []
        self.text: str | None = None
        self.silent = False

    def publish(self) -> None:
        self.text = status.sign(self.key, status.of(self.marked), URI, self.clock())

    async def send(self, request, _most) -> Reply:
        self.asked.append(str(request.url))
        if self.silent or self.text is None:
            raise failures.unauthorized()
        return Reply(200, {"Content-Type": "application/statuslist+jwt"}, self.text.encode())


@pytest.fixture
def neighbour(clock) -> Neighbour:
    return Neighbour(clock)


@pytest.fixture
def authority(authority, neighbour, clock):
    trusted = Trusted(authority.database, clock, HTTPClient(neighbour.send))
    return dataclasses.replace(authority, issuers=trusted)


# ── what a district says of its cards ────────────────────────────────────────────────────────


async def test_the_status_of_a_card_is_what_its_own_issuer_says(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()

    said = [await authority.issuers.status_of(check.NEIGHBOUR, URI, place) for place in (6, 7, 8)]

    assert said == [Said(one, clock()) for one in (Status.VALID, Status.INVALID, Status.SUSPENDED)]
    assert [one.valid for one in said] == [True, False, False]
    assert len(neighbour.asked) == 1


async def test_a_number_that_is_no_status_is_not_valid(authority, neighbour):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()

    assert (await authority.issuers.status_of(check.NEIGHBOUR, URI, 9)).status is Status.INVALID


async def test_a_list_is_fetched_again_when_it_says_so(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()
    await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    neighbour.marked[6] = Status.INVALID
    clock.pass_seconds(299)
    neighbour.publish()
    before = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)
    clock.pass_seconds(1)
    after = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    assert (before.status, after.status) == (Status.VALID, Status.INVALID)


async def test_what_a_silent_issuer_said_last_counts_to_its_end_and_no_longer(
    authority, neighbour, clock
):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()
    said = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)
    neighbour.silent = True

    clock.pass_seconds(3599)
    late = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)
    clock.pass_seconds(1)
    over = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    assert late == said
    assert over is None


async def test_an_issuer_that_never_said_anything_says_no_yes(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)

    first = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)
    await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)
    asked = len(neighbour.asked)
    clock.pass_seconds(issuer.RETRY.total_seconds())
    neighbour.publish()
    second = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    assert first is None
    assert second is not None
    assert (asked, len(neighbour.asked)) == (1, 2)


async def test_an_older_list_does_not_bring_back_a_card(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()
    old = neighbour.text
    clock.pass_seconds(300)
    neighbour.marked[6] = Status.INVALID
    neighbour.publish()
    await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    neighbour.text = old
    clock.pass_seconds(300)
    said = await authority.issuers.status_of(check.NEIGHBOUR, URI, 6)

    assert said.status is Status.INVALID


async def test_nobody_but_the_issuer_speaks_of_its_cards(authority, neighbour, clock):
    other = check.a_key(clock(), Purpose.STATUS)
    await check.trusted(authority, other)
    neighbour.publish()

    assert await authority.issuers.status_of(check.NEIGHBOUR, URI, 6) is None


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("iss", "uri"),
    [
        ("https://jingan.example", URI),
        (check.NEIGHBOUR, "https://jingan.example/status/1"),
        (check.NEIGHBOUR, f"{check.NEIGHBOUR}.jingan.example/status/1"),
    ],
)
async def test_nobody_is_asked_of_a_card_that_is_not_theirs(authority, neighbour, iss, uri):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()

    assert await authority.issuers.status_of(iss, uri, 6) is None
    assert neighbour.asked == []


async def test_a_place_that_the_list_does_not_have_is_of_no_card(authority, neighbour):
    await check.trusted(authority, neighbour.key)
    neighbour.publish()

    assert await authority.issuers.status_of(check.NEIGHBOUR, URI, status.PLACES) is None


async def test_so_many_lists_are_remembered_and_no_more(authority, neighbour, monkeypatch):
    monkeypatch.setattr(issuer, "_MOST_LISTS", 2)
    await check.trusted(authority, neighbour.key)

    for number in range(5):
        uri = f"{check.NEIGHBOUR}/status/{number}"
        assert await authority.issuers.status_of(check.NEIGHBOUR, uri, 6) is None

    assert len(authority.issuers._lists) == 2


# ── whose cards count ────────────────────────────────────────────────────────────────────────


async def test_trust_and_recognition_are_two_questions(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    trusted = authority.issuers

    assert trusted.key(check.NEIGHBOUR, neighbour.key.id)
    assert trusted.issuer(check.NEIGHBOUR).district == "putuo"
    assert trusted.recognises(check.NEIGHBOUR, VCT, "film-tickets", clock())
    assert not trusted.recognises(check.NEIGHBOUR, VCT, "medical-green-channel", clock())
    assert not trusted.recognises(check.NEIGHBOUR, "https://x.example/1", "film-tickets", clock())
    assert not trusted.recognises("https://jingan.example", VCT, "film-tickets", clock())
    assert trusted.vcts == {VCT, issuer.CITY_TYPE}


async def test_a_key_counts_for_its_own_issuer_alone(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    other = check.a_key(clock())
    await check.trusted(authority, other, url="https://jingan.example")

    assert authority.issuers.key("https://jingan.example", other.id)
    assert authority.issuers.key(check.NEIGHBOUR, other.id) is None
    assert authority.issuers.key("https://jingan.example", neighbour.key.id) is None


async def test_nothing_counts_before_or_after_what_was_agreed(authority, neighbour, clock):
    await check.trusted(authority, neighbour.key)
    trusted = authority.issuers

    clock.pass_seconds(timedelta(days=31).total_seconds())

    assert trusted.issuer(check.NEIGHBOUR) is None
    assert trusted.key(check.NEIGHBOUR, neighbour.key.id) is None
    assert not trusted.recognises(check.NEIGHBOUR, VCT, "film-tickets", clock())
    assert trusted.vcts == {issuer.CITY_TYPE}
    assert trusted.entries(clock()) == []


async def test_another_process_hears_of_it_when_it_looks_next(authority, neighbour, clock):
    other = Trusted(authority.database, clock, HTTPClient(neighbour.send))
    await check.trusted(authority, neighbour.key)

    assert other.issuer(check.NEIGHBOUR) is None
    await other.refreshed()
    assert other.issuer(check.NEIGHBOUR)
    await authority.issuers.untrust(check.NEIGHBOUR)
    await other.refreshed()
    assert other.issuer(check.NEIGHBOUR) is None


# ── what is agreed ───────────────────────────────────────────────────────────────────────────


def an_agreement(clock, **changed) -> dict:
    key = check.a_key(clock(), Purpose.CARD).jwk.as_dict(private=False)
    said = {
        "issuer": check.NEIGHBOUR,
        "district": "putuo",
        "jwks": {"keys": [key]},
        "vcts": [VCT],
        "services": ["film-tickets"],
        "from": "2026-11-01T00:00:00+08:00",
        "until": "2027-11-01T00:00:00+08:00",
    }
    return {**said, **changed}


async def test_what_was_agreed_anew_takes_the_place_of_what_was_before(authority, clock):
    first = issuer.agreed(an_agreement(clock), SERVICES, authority.issuer)
    second = issuer.agreed(an_agreement(clock, services=SERVICES), SERVICES, authority.issuer)

    await authority.issuers.trust(first)
    await authority.issuers.trust(second)

    (found,) = authority.issuers.entries(clock())
    assert (found.services, set(found.keys)) == (frozenset(SERVICES), set(second.keys))
    assert authority.issuers.sequence == 2


async def test_whoever_was_struck_can_be_trusted_again(authority, clock):
    agreement = issuer.agreed(an_agreement(clock), SERVICES, authority.issuer)
    await authority.issuers.trust(agreement)

    await authority.issuers.untrust(check.NEIGHBOUR)
    with pytest.raises(errors.UnknownCodeError):
        await authority.issuers.untrust(check.NEIGHBOUR)
    await authority.issuers.trust(agreement)

    assert authority.issuers.issuer(check.NEIGHBOUR)
    assert authority.issuers.sequence == 3


@pytest.mark.any_database
@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://putuo.example"},
        {"issuer": "https://greenway.example"},
        {"issuer": "https://greenway.example/"},
        {"issuer": "https://user@putuo.example"},
        {"issuer": "https://putuo.example?x"},
        {"issuer": "putuo"},
        {"issuer": 1},
        {"district": ""},
        {"jwks": None},
        {"jwks": "{"},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "RSA"}]}},
        {"vcts": []},
        {"vcts": "x"},
        {"services": [1]},
        {"from": "soon"},
        {"until": "2026-11-01T00:00:00+08:00"},
        {"more": 1},
    ],
)
async def test_an_agreement_that_cannot_be_is_refused(authority, clock, changed):
    with pytest.raises(errors.BadInputError):
        issuer.agreed(an_agreement(clock, **changed), SERVICES, authority.issuer)


@pytest.mark.any_database
async def test_a_private_key_is_not_taken(authority, clock):
    private = check.a_key(clock()).jwk.as_dict(private=True)

    with pytest.raises(errors.BadInputError):
        issuer.agreed(an_agreement(clock, jwks={"keys": [private]}), SERVICES, authority.issuer)


@pytest.mark.any_database
async def test_a_service_that_is_not_on_the_menu_is_named(authority, clock):
    said = an_agreement(clock, services=["film-ticket"])

    with pytest.raises(errors.UnknownCodeError, match="film-ticket") as refused:
        issuer.agreed(said, SERVICES, authority.issuer)

    assert refused.value.nearest == ("film-tickets",)


@pytest.mark.any_database
async def test_a_key_of_ours_is_published_as_others_take_it(authority, clock):
    ring = keyring.Keyring([check.a_key(clock(), purpose) for purpose in Purpose])

    found = issuer.agreed(an_agreement(clock, jwks=ring.jwks(clock())), SERVICES, authority.issuer)

    assert set(found.keys) == {key.id for key in ring.every()}
