import contextlib
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from connectors import credential, errors, http, manifest, registry
from tests import partner, server

ONCE = http.Policy(deadline_seconds=5.0, attempts=1)


@pytest.fixture
async def client():
    async with partner.client() as client:
        yield client


async def failure_of(call):
    with pytest.raises(errors.PartnerError) as failed:
        await call
    return failed.value


# ── a secret that is being changed ───────────────────────────────────────────────────────────


class Guard:
    """Takes some secrets, and notes those it was shown."""

    def __init__(self, *taken):
        self.taken = taken
        self.shown = []

    async def __call__(self, request):
        self.shown.append(request.headers["X-Key"])
        return await partner.says(status=200 if self.shown[-1] in self.taken else 401)(request)


@contextlib.asynccontextmanager
async def guarded(client, *taken, given):
    guard = Guard(*taken)
    async with partner.running(guard) as loopback:
        header = credential.Header("X-Key", given[0], others=lambda: given)
        yield guard, client.partner("clinic", loopback.url, ONCE, header)


async def test_the_next_secret_is_tried_once_the_one_in_use_is_refused_and_then_kept(client):
    async with guarded(client, "new", given=["old", "new"]) as (guard, one):
        await one.get("Slot")
        await one.get("Slot")

    assert guard.shown == ["old", "new", "new"]


async def test_the_next_secret_is_not_shown_while_the_one_in_use_holds(client):
    async with guarded(client, "old", given=["old", "new"]) as (guard, one):
        await one.get("Slot")

    assert guard.shown == ["old"]


async def test_a_next_secret_that_does_not_pass_does_not_take_the_others_place(client):
    async with guarded(client, given=["old", "new"]) as (guard, one):
        failure = await failure_of(one.get("Slot"))
        guard.taken = ("old",)
        reply = await one.get("Slot")

    assert failure.problem is errors.Problem.UNAUTHORIZED
    assert reply.status == 200
    assert guard.shown == ["old", "new", "old"]


async def test_the_old_secret_serves_again_when_the_change_is_taken_back(client):
    async with guarded(client, "new", given=["old", "new"]) as (guard, one):
        await one.get("Slot")
        guard.taken = ("old",)
        await one.get("Slot")

    assert guard.shown == ["old", "new", "new", "old"]


async def test_a_secret_given_later_is_found_when_it_is_needed(client):
    given = ["old"]
    async with guarded(client, "old", given=given) as (guard, one):
        await one.get("Slot")
        guard.taken = ("new",)
        given.append("new")
        reply = await one.get("Slot")

    assert reply.status == 200


async def test_an_act_refused_under_the_old_secret_is_done_once_under_the_new(client):
    async with guarded(client, "new", given=["old", "new"]) as (guard, one):
        await one.send("POST", "Appointment", content=b"{}")

    assert guard.shown == ["old", "new"]


# ── tokens of a server that others wrote ─────────────────────────────────────────────────────


def key(sort, kid):
    made = sort.generate_key(2048 if sort is RSAKey else "P-256", {"kid": kid, "use": "sig"})
    return made.as_dict(private=True), made.as_dict(private=False)


EC, EC_PUBLIC = key(ECKey, "ec")
RSA, RSA_PUBLIC = key(RSAKey, "rsa")
PASSWORD = "a pass:word+with%odd characters"  # noqa: S105 - of a server that runs for this test
CLIENTS = [
    {
        "client_id": "basic",
        "client_secret": PASSWORD,
        "token_endpoint_auth_method": "client_secret_basic",
    },
    {
        "client_id": "post",
        "client_secret": PASSWORD,
        "token_endpoint_auth_method": "client_secret_post",
    },
    *(
        {
            "client_id": name,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": algorithm,
            "jwks": {"keys": [public]},
            "scope": "slots.read slots.write",
        }
        for name, algorithm, public in (("ec", "ES256", EC_PUBLIC), ("rsa", "RS256", RSA_PUBLIC))
    ),
]


@pytest.fixture(scope="module")
def issuer():
    """Run the server that gives tokens, and yield its address."""
    with server.node("issuer.js", CLIENTS) as url:
        yield url


def named(client_id, issuer, secret, method, scopes=()):
    audience = issuer if method == "private_key_jwt" else None
    return credential.OAuth2("token", client_id, secret, scopes, method, audience)


@pytest.mark.parametrize(
    ("client_id", "secret", "method"),
    [
        ("basic", PASSWORD, "client_secret_basic"),
        ("post", PASSWORD, "client_secret_post"),
        ("ec", json.dumps(EC), "private_key_jwt"),
        ("rsa", json.dumps(RSA), "private_key_jwt"),
    ],
)
async def test_every_way_to_show_the_client_is_given_a_token(
    client, issuer, client_id, secret, method
):
    one = client.partner("clinic", issuer, ONCE, named(client_id, issuer, secret, method))

    assert (await one.get("slots")).json() == {"client": client_id, "scope": ""}
    await one.get("slots")
    assert one.calls == 3


async def test_scopes_are_asked_for(client, issuer):
    oauth2 = named("ec", issuer, json.dumps(EC), "private_key_jwt", ("slots.read", "slots.write"))
    one = client.partner("clinic", issuer, ONCE, oauth2)

    assert (await one.get("slots")).json()["scope"] == "slots.read slots.write"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_whoever_is_not_known_gets_no_token(client, issuer, method):
    stranger = json.dumps(key(ECKey, "ec")[0]) if method == "private_key_jwt" else "wrong"
    client_id = {"client_secret_basic": "basic", "client_secret_post": "post"}.get(method, "ec")
    one = client.partner("clinic", issuer, ONCE, named(client_id, issuer, stranger, method))

    failure = await failure_of(one.get("slots"))

    assert failure.problem is errors.Problem.UNAUTHORIZED


async def test_a_clients_next_secret_is_taken_once_a_token_is_given_for_it(client, issuer):
    oauth2 = credential.OAuth2(
        "token", "basic", "old", others=lambda: ("old", PASSWORD), method="client_secret_basic"
    )
    one = client.partner("clinic", issuer, ONCE, oauth2)

    assert (await one.get("slots")).json()["client"] == "basic"


# ── what is signed ───────────────────────────────────────────────────────────────────────────


async def asserted(client, secret, audience=None):
    """Return what the hub asks for a token with, twice, and the URL it asks at."""
    forms = []

    async def does(request):
        if request.path == "/token":
            forms.append(dict(await request.post()))
            return await partner.says('{"access_token": "t", "expires_in": 0}')(request)
        return await partner.says()(request)

    async with partner.running(does) as loopback:
        oauth2 = credential.OAuth2(
            "token", "hub", secret, method="private_key_jwt", audience=audience
        )
        one = client.partner("clinic", loopback.url, ONCE, oauth2)
        await one.get("Slot")
        await one.get("Slot")
    return forms, f"{loopback.url}/token"


async def test_each_assertion_is_for_the_place_it_is_shown_at_short_and_new(client):
    forms, url = await asserted(client, json.dumps(EC))

    public = ECKey.import_key(EC_PUBLIC)
    first, second = (jwt.decode(one["client_assertion"], public) for one in forms)
    assert first.header == {"typ": "JWT", "alg": "ES256", "kid": "ec"}
    assert (first.claims["iss"], first.claims["sub"], first.claims["aud"]) == ("hub", "hub", url)
    assert first.claims["exp"] - first.claims["iat"] == 60
    assert first.claims["jti"] != second.claims["jti"]


@pytest.mark.parametrize(
    "secret",
    [
        "no json",
        "[]",
        json.dumps(EC_PUBLIC),
        json.dumps(OctKey.generate_key(256).as_dict(private=True)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
    ],
    ids=["no JSON", "no object", "public", "symmetric", "another curve"],
)
async def test_a_secret_that_is_no_such_key_is_told_and_never_shown(client, secret):
    async with partner.running(partner.says()) as loopback:
        oauth2 = credential.OAuth2("token", "hub", secret, method="private_key_jwt")
        one = client.partner("clinic", loopback.url, ONCE, oauth2)

        failure = await failure_of(one.get("Slot"))

    assert failure.problem is errors.Problem.MISCONFIGURED
    assert secret not in str(failure)
    assert loopback.calls == []


async def test_the_audience_is_asked_for_where_nothing_is_signed(client):
    forms = []

    async def does(request):
        if request.path == "/token":
            forms.append(dict(await request.post()))
        return await partner.says('{"access_token": "t"}')(request)

    async with partner.running(does) as loopback:
        oauth2 = credential.OAuth2(
            "token", "hub", "s", method="client_secret_post", audience="urn:clinic"
        )
        await client.partner("clinic", loopback.url, ONCE, oauth2).get("Slot")

    assert forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "hub",
            "client_secret": "s",
            "audience": "urn:clinic",
        }
    ]


def test_a_partner_files_secret_has_one_to_follow_it_where_the_hub_is_given_one():
    entry = manifest.load(registry.PARTNERS / "hongqiao-cinema.yaml", registry.kinds())
    name = "hongqiao-cinema-token"
    given = {name: "old"}

    found = manifest.credentials(entry, given)
    given[f"{name}-next"] = "new"

    assert found.secret == given[name]
    assert list(found.others()) == ["old", "new"]
