"""A recording replays, and holds no secret, wherever and however the partner gives it back."""

from __future__ import annotations

import base64
import contextlib
import html
import json
from datetime import datetime
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors import base, egress, manifest, proof, recording, registry, transport
from models import errors, offer, source
from tests import partner

KINDS = registry.kinds()
SECRET = "Zx9/k+Q2 mPf&7Lw="  # noqa: S105 - what a secret may look like
NAME = "loopback-cinema-token"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJodWIifQ.MEUCIQDx-0fakefakefake"
PRIVATE_KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
INQUIRY = base.Inquiry(
    offer.Capability.SHOWING,
    "film",
    datetime.fromisoformat("2026-11-24T00:00:00+08:00"),
    datetime.fromisoformat("2026-11-26T00:00:00+08:00"),
)
FILE = """\
# Who answers for it knows the cinema.
slug: loopback-cinema
kind: cinema
name: {{en: Loopback Cinema}}
owner: Connector team
about: {{en: Films.}}   # And nothing else.
documentation: docs/connecting.md#cinema
district: changning
address: {address}/v1/
credentials: {{{credentials}}}
examples:
  - name: nothing on
    inquiries:
      - capability: showing
        topic: film
        since: "2026-11-23T00:00:00+08:00"
        until: "2026-11-24T00:00:00+08:00"
    replies:
      - {{path: events, json: []}}   # A quiet day.
    offers: [[]]
"""
HEADER = f"header: {{name: X-Cinema, secret: {NAME}}}"
FILM = {
    "@type": "ScreeningEvent",
    "@id": "f-1",
    "name": "Film",
    "startDate": "2026-11-24T19:00:00+08:00",
    "location": {"name": "Hall"},
}
SPELLINGS = [
    SECRET,
    quote(SECRET, safe=""),
    quote_plus(SECRET),
    quote(SECRET, safe="").lower(),
    quote(quote(SECRET, safe=""), safe=""),
    html.escape(SECRET),
    json.dumps(SECRET),
    SECRET.replace("/", "\\/"),
    base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(f"hub:{SECRET}".encode()).decode(),
    base64.b64encode(f"u:{SECRET}:more".encode()).decode(),
    base64.urlsafe_b64encode(SECRET.encode()).decode(),
    f"Basic {base64.b64encode(f'hub:{SECRET}'.encode()).decode()}",
]
LOOKALIKES = [JWT, f"Bearer {JWT}", PRIVATE_KEY, "Bearer 0123456789abcdef"]


@pytest.fixture
def record(tmp_path):
    """Record what a partner answers, as the command does; return the example and the file."""

    async def record(does, credentials=HEADER, secret=SECRET):
        path = tmp_path / "loopback-cinema.yaml"
        async with (
            partner.running(does) as loopback,
            sockets_to_loopback() as sockets,
        ):
            text = FILE.format(address=loopback.url, credentials=credentials)
            path.write_text(text, encoding="utf-8")
            entry = manifest.load(path, KINDS)
            example = await recording.record(
                entry, [INQUIRY], "one film", entry.manifest.address, {NAME: secret}, sockets.send
            )
        recording.append(path, example, KINDS)
        return example, path

    return record


@contextlib.asynccontextmanager
async def sockets_to_loopback():
    sockets = transport.Sockets(egress.LOOPBACK)
    try:
        yield sockets
    finally:
        await sockets.close()


def echoing(text):
    """Return a partner that gives this back wherever it can."""

    async def does(request):
        if request.path == "/v1/events" and "round" not in request.query:
            location = f"/v1/events?round={quote(text, safe='')}&{request.query_string}"
            cookie = {"Set-Cookie": f"session={quote(text)}", "Location": location}
            return web.Response(status=302, headers=cookie)
        film = FILM | {"name": text, "url": f"https://cinema.example/{quote(text, safe='')}"}
        listed = json.dumps([film, {"@type": "Thing", text: [{"deep": f"a{text}b"}]}])
        headers = {"ETag": quote(text), "X-Echo": quote(text), "Link": f"</{quote(text)}>; rel=up"}
        return web.Response(text=listed, content_type="application/json", headers=headers)

    return does


@pytest.mark.parametrize("text", [*SPELLINGS, *LOOKALIKES])
async def test_a_secret_is_in_no_recording_wherever_it_is_given_back(record, text):
    _, path = await record(echoing(text))

    written = path.read_text(encoding="utf-8")

    for spelt in (text, *SPELLINGS, quote(text, safe=""), quote(text)):
        assert spelt not in written
    assert await proof.prove(manifest.load(path, KINDS)) == [[], []]


@pytest.mark.parametrize(
    "credentials",
    [
        HEADER,
        f"basic: {{user: hub, secret: {NAME}}}",
        f"query: {{name: apikey, secret: {NAME}}}",
        f"oauth2: {{token_path: token, client_id: hub, secret: {NAME}}}",
    ],
)
async def test_no_way_of_showing_who_asks_is_recorded(record, credentials):
    shown = []

    async def does(request):
        if request.path.endswith("/token"):
            return web.json_response({"access_token": "T0p/s3cret+token", "expires_in": 60})
        shown.extend([*request.headers.values(), *request.query.values()])
        return web.json_response([FILM | {"name": " ".join(request.headers.values())}])

    example, path = await record(does, credentials)

    written = path.read_text(encoding="utf-8")
    assert any("hidden" in one["json"][0]["name"] for one in example["replies"]) or (
        "query" in credentials
    )
    assert "T0p/s3cret+token" not in written
    assert "apikey" not in str(example)
    assert all(spelt not in written for spelt in SPELLINGS)
    assert await proof.prove(manifest.load(path, KINDS)) == [[], []]


@given(
    before=st.binary(max_size=5),
    after=st.binary(max_size=5),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=0x4FF), min_size=6, max_size=40),
)
def test_a_secret_is_found_in_base64_whatever_stands_around_it(before, after, secret):
    encoded = base64.b64encode(before + secret.encode() + after).decode()

    hidden = recording.Discreet([secret]).text(encoded)

    # At either end a letter of Base64 may hold bits of what stands beside the secret.
    left = hidden.replace("hidden-1", "")
    assert len(encoded) - len(left) >= len(secret.encode()) * 4 // 3 - 3


@given(
    secret=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30),
    spelt=st.sampled_from([str, quote, quote_plus, html.escape, json.dumps, repr]),
)
def test_a_secret_is_found_however_it_is_spelt(secret, spelt):
    hidden = recording.Discreet([secret]).text(f"<<{spelt(secret).strip(chr(39) + chr(34))}>>")

    assert secret not in hidden[2:-2].replace("hidden-1", "")


def test_the_same_secret_is_always_the_same_word_and_the_rest_stays():
    discreet = recording.Discreet(["first-secret", "second-secret"])

    told = discreet.data({"a": "second-secret", "b": ["x first-secret", "second-secret!"], "c": 1})

    assert told == {"a": "hidden-1", "b": ["x hidden-2", "hidden-1!"], "c": 1}


@pytest.mark.parametrize(
    "text", ["Basic Geometry", "a page_token=second&x=1", "the bearer of news", "key=value"]
)
def test_plain_words_stay(text):
    assert recording.Discreet(["first-secret"]).text(text) == text


async def test_an_example_is_appended_and_comments_stay(record):
    example, path = await record(partner.says(json.dumps([FILM])))

    written = path.read_text(encoding="utf-8")
    assert "# Who answers for it knows the cinema." in written
    assert "# And nothing else." in written
    assert "# A quiet day." in written
    assert [one.name for one in manifest.load(path, KINDS).manifest.examples] == [
        "nothing on",
        "one film",
    ]
    assert example["offers"] == [
        [
            {
                "id": "f-1",
                "title": "Film",
                "start": "2026-11-24T19:00:00+08:00",
                "venue": "Hall",
            }
        ]
    ]


async def test_the_partners_address_is_marked(record):
    address = "{}"

    async def does(request):
        url = f"http://{request.host}/v1/films/1"
        return web.json_response([FILM | {"url": url, "sameAs": f"http://{request.host}/about"}])

    example, path = await record(does)

    assert example["replies"][0]["path"] == "events"
    assert example["replies"][0]["json"][0]["url"] == "{address}/films/1"
    assert example["replies"][0]["json"][0]["sameAs"] == "{address}/about"
    assert address not in path.read_text(encoding="utf-8").partition("one film")[2]


async def test_what_does_not_replay_without_its_secret_is_not_written(record, tmp_path):
    async def does(request):
        return web.json_response([FILM | {"startDate": request.headers["X-Cinema"]}])

    with pytest.raises(errors.HubError, match="does not replay without its secrets"):
        await record(does, secret="2026-11-24T19:00:00+08:00")  # noqa: S106 - an odd one

    assert "one film" not in (tmp_path / "loopback-cinema.yaml").read_text(encoding="utf-8")


async def test_a_recording_that_is_too_large_is_refused_and_the_file_stays(record, tmp_path):
    films = [FILM | {"@id": f"f-{place}"} for place in range(800)]

    with pytest.raises(errors.MistakesError, match="divide it"):
        await record(partner.says(json.dumps(films)))

    document = source.read(tmp_path / "loopback-cinema.yaml")
    assert len(document.data["examples"]) == 1


def test_people_in_a_recording_are_pointed_out():
    example = {"replies": [{"json": {"contact": "li.wei@hospital-changning.cn"}}]}

    assert recording.cautions(example) == ["an e-mail address"]
