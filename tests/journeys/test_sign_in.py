"""Who asks is told by a bearer token of the one issuer in the settings, and of nobody else."""

from __future__ import annotations

import pytest
from joserfc.jwk import ECKey

import server
from credentials import token
from models import demo, errors
from resolvers.viewer import Role
from settings import Settings
from tests import issuer as loopback

pytestmark = pytest.mark.any_database

WHO = "{ talents(first: 1) { totalCount } }"


@pytest.fixture
async def issuer():
    async with loopback.running() as running:
        yield running


@pytest.fixture
def signed_in(stand, issuer):
    """A hub, out of demo mode, that takes this issuer's tokens."""
    return stand(demo=False, issuer=issuer.url)


def bearer(presented: str) -> dict[str, str]:
    return {"authorization": f"Bearer {presented}"}


@pytest.mark.parametrize("make", ["rsa", "ec"])
async def test_an_issuers_token_says_who_asks(signed_in, issuer, clock, make):
    issuer.ec()
    key = getattr(issuer, make)()

    answer = await signed_in.ask(WHO, headers=bearer(issuer.token(key, clock())))

    assert answer.json()["data"] == {"talents": {"totalCount": demo.PEOPLE}}
    assert issuer.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}


async def test_a_new_key_is_learnt_with_one_fetch_in_five_minutes(signed_in, issuer, clock):
    old = issuer.rsa()
    await signed_in.ask(WHO, headers=bearer(issuer.token(old, clock())))
    new = issuer.ec()
    foreign = ECKey.generate_key("P-256", auto_kid=True)

    early = await signed_in.ask(WHO, headers=bearer(issuer.token(new, clock())))
    clock.pass_seconds(301)
    learnt = await signed_in.ask(WHO, headers=bearer(issuer.token(new, clock())))
    unknown = [
        await signed_in.ask(WHO, headers=bearer(issuer.token(foreign, clock()))) for _ in range(3)
    ]

    assert early.status == 401
    assert learnt.status == 200
    assert {answer.status for answer in unknown} == {401}
    assert issuer.asked["/keys"] == 2


async def test_a_key_that_was_withdrawn_is_forgotten_within_the_hour(signed_in, issuer, clock):
    old = issuer.rsa()
    await signed_in.ask(WHO, headers=bearer(issuer.token(old, clock())))
    issuer.keys.clear()
    issuer.ec()

    clock.pass_seconds(3601)
    answer = await signed_in.ask(WHO, headers=bearer(issuer.token(old, clock())))

    assert answer.status == 401


async def test_while_the_issuer_is_silent_its_known_keys_hold(signed_in, issuer, clock):
    key = issuer.rsa()
    await signed_in.ask(WHO, headers=bearer(issuer.token(key, clock())))
    issuer.silent = True

    clock.pass_seconds(3601)
    answer = await signed_in.ask(WHO, headers=bearer(issuer.token(key, clock())))

    assert answer.status == 200


async def test_an_issuer_that_was_down_at_first_is_asked_again(signed_in, issuer, clock):
    key = issuer.rsa()
    issuer.silent = True
    down = await signed_in.ask(WHO, headers=bearer(issuer.token(key, clock())))
    issuer.silent = False

    up = await signed_in.ask(WHO, headers=bearer(issuer.token(key, clock())))

    assert (down.status, up.status) == (503, 200)
    assert down.codes == ["ISSUER_SILENT"]


async def test_an_issuer_may_keep_its_keys_elsewhere(signed_in, issuer, clock):
    async with loopback.running() as elsewhere:
        key = elsewhere.rsa()
        issuer.jwks_uri = f"{elsewhere.url}/keys"

        answer = await signed_in.ask(
            WHO, headers=bearer(issuer.token(key, clock(), iss=issuer.url))
        )

        assert answer.status == 200
        assert (issuer.asked["/keys"], elsewhere.asked["/keys"]) == (0, 1)


async def test_without_a_token_the_issuer_is_not_asked(signed_in, issuer):
    answer = await signed_in.ask("{ areas { code } }")

    assert answer.status == 200
    assert issuer.asked == {}


@pytest.mark.parametrize("demo_mode", [True, False])
async def test_a_development_token_is_refused_beside_an_issuer(stand, issuer, demo_mode):
    in_demo = stand()
    issuer.ec()
    hub = stand(demo=demo_mode, issuer=issuer.url)

    answer = await hub.ask(WHO, headers=in_demo.bearer("officer"))

    assert answer.codes == ["UNAUTHENTICATED"]


async def test_a_development_token_is_refused_out_of_demo_mode(stand):
    in_demo = stand()

    answer = await stand(demo=False).ask(WHO, headers=in_demo.bearer("officer"))

    assert answer.codes == ["UNAUTHENTICATED"]


def test_the_development_issuer_keeps_its_key_to_its_user(tmp_path):
    settings = Settings(data=tmp_path / "new", demo=True)

    key = server.development_key(settings)

    assert server.development_key(settings).kid == key.kid
    assert (settings.data / "development-issuer.json").stat().st_mode & 0o077 == 0


def test_a_token_of_the_command_line_holds_at_the_door(tmp_path):
    settings = Settings(data=tmp_path, demo=True)

    signed = server.development_token(settings, Role.PARTNER, "xinhua-bank")

    claims = token.verify(
        signed,
        server.development_key(settings),
        issuer=server.DEVELOPMENT_ISSUER,
        audience="greenway",
        now=server._now(),
    )
    assert claims == token.Claims("xinhua-bank", "partner")
    with pytest.raises(errors.UnauthenticatedError):
        token.verify(
            signed,
            server.development_key(settings),
            issuer=server.DEVELOPMENT_ISSUER,
            audience="elsewhere",
            now=server._now(),
        )
