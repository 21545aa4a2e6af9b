"""Whole requests to POST /v1/verify: what tills may send by mistake, and others on purpose."""

from __future__ import annotations

import json
import zlib
from base64 import b32encode
from collections.abc import Iterator

from tests.kit import codes, keys
from tests.kit.keys import Case

ABOUT = (
    "Requests to POST /v1/verify of a till with the key `till` (`Authorization: Bearer …` unless "
    "a case says otherwise). Before the body stand as many `spaces` as a case says. `answer` is "
    "the refusal, `status` the HTTP status; nothing is looked up, and no code is used up."
)
REFUSED = "UNAUTHENTICATED"
KEY_ID, KEY_SECRET = keys.drawn("till id", 10), keys.drawn("till secret", 32)


def _text(raw: bytes) -> str:
    return b32encode(raw).rstrip(b"=").decode().lower()


def api_key(id_: bytes = KEY_ID, secret: bytes = KEY_SECRET, world: str = "live") -> str:
    said = f"tck_{world}_{_text(id_)}_{_text(secret)}"
    return said + _text(zlib.crc32(said.encode()).to_bytes(4, "big"))


TILL = api_key()
GIVEN = {"till": TILL}
GOOD = {
    "presented": {"code": codes.LIVE},
    "serviceCode": keys.SERVICE,
    "idempotencyKey": "kit-1",
}


def body(**changes: object) -> str:
    """A body like a good one, `...` for what it leaves out."""
    said = {**GOOD, **changes}
    return json.dumps({name: value for name, value in said.items() if value is not ...})


def cases() -> Iterator[Case]:
    good = {"body": body()}
    yield Case("good", "A good request.", good, given={"status": 200}, answer="CardAccepted")
    yield from bodies()
    yield from senders()
    yield from asks()


def bodies() -> Iterator[Case]:
    for id_, what, text in (
        ("empty", "No body.", ""),
        ("no-json", "No JSON.", "{"),
        ("list", "A list.", "[]"),
        ("null", "Null.", "null"),
        ("text", "A text.", '"code"'),
        ("nothing", "An object with nothing in it.", "{}"),
        ("form", "A form.", "code=1&serviceCode=film-tickets"),
        ("byte-order-mark", "A byte order mark before it.", "\ufeff" + body()),
        ("two", "Two objects.", body() + body()),
        ("nan", "A number that is none.", body(terminal=...)[:-1] + ', "redeem": NaN}'),
        ("deep", "Lists in lists.", "[" * 5000 + "]" * 5000),
        ("half-letter", "Half a letter, which no encoding has.", body(terminal="\ud800")),
    ):
        yield Case(f"body-{id_}", what, {"body": text}, "MALFORMED", {"status": 400}, "MALFORMED")
    large = {"body": body(), "spaces": 300_000}
    yield Case(
        "body-oversize",
        "It is larger than 256 KiB.",
        large,
        "TOO_LARGE",
        {"status": 413},
        "TOO_LARGE",
    )
    typed = {"body": body(), "headers": {"content-type": "text/plain"}}
    yield Case(
        "body-plain-text",
        "It says it is plain text.",
        typed,
        "MALFORMED",
        {"status": 400},
        "MALFORMED",
    )


def senders() -> Iterator[Case]:
    wrong = TILL[:-1] + ("a" if TILL[-1] != "a" else "b")
    for id_, what, said in (
        ("nobody", "It shows no key.", None),
        ("empty", "It shows an empty key.", "Bearer "),
        ("checksum", "A letter of the key is another.", f"Bearer {wrong}"),
        ("cut", "The key is cut.", f"Bearer {TILL[:-1]}"),
        ("capitals", "The key is in capitals.", f"Bearer {TILL.upper()}"),
        (
            "other-secret",
            "A key of the same id with another secret.",
            f"Bearer {api_key(secret=bytes(32))}",
        ),
        ("unknown", "A key that nobody has.", f"Bearer {api_key(id_=bytes(10))}"),
        ("other-world", "The same key as a test key.", f"Bearer {api_key(world='test')}"),
        ("basic", "It shows a password.", "Basic dGlsbDp0aWxs"),
        ("two", "Two keys.", f"Bearer {TILL}, Bearer {TILL}"),
        ("dpop-alone", "An access token without a proof.", "DPoP e30.e30.e30"),
    ):
        case = {"body": body(), "headers": {"authorization": said}}
        yield Case(f"sender-{id_}", what, case, REFUSED, {"status": 401}, REFUSED)


def asks() -> Iterator[Case]:
    long = "x" * 101
    for id_, what, changes, refusal in (
        ("nothing-presented", "Nothing is presented.", {"presented": {}}, "MALFORMED"),
        ("presented-null", "Null is presented.", {"presented": None}, "MALFORMED"),
        (
            "presented-missing",
            "It does not say what is presented.",
            {"presented": ...},
            "MALFORMED",
        ),
        (
            "presented-two",
            "Two things are presented.",
            {"presented": {"code": codes.LIVE, "serial": "GW-V31C-VN1Z-S"}},
            "MALFORMED",
        ),
        ("presented-code-null", "A code of null.", {"presented": {"code": None}}, "MALFORMED"),
        (
            "presented-code-number",
            "A code that is a number.",
            {"presented": {"code": 1}},
            "MALFORMED",
        ),
        (
            "presented-code-list",
            "A list of codes.",
            {"presented": {"code": [codes.LIVE]}},
            "MALFORMED",
        ),
        (
            "presented-unknown",
            "A way of presenting that there is not.",
            {"presented": {"face": "x"}},
            "MALFORMED",
        ),
        ("key-missing", "No idempotency key.", {"idempotencyKey": ...}, "MALFORMED"),
        ("key-empty", "An empty idempotency key.", {"idempotencyKey": ""}, "MALFORMED"),
        (
            "key-long",
            "An idempotency key of 101 characters.",
            {"idempotencyKey": long},
            "MALFORMED",
        ),
        (
            "key-line-break",
            "A line break in the idempotency key.",
            {"idempotencyKey": "a\nb"},
            "MALFORMED",
        ),
        (
            "key-foreign",
            "Other letters in the idempotency key.",
            {"idempotencyKey": "钥匙"},
            "MALFORMED",
        ),
        ("key-number", "A number as idempotency key.", {"idempotencyKey": 1}, "MALFORMED"),
        ("terminal-long", "A terminal of 101 characters.", {"terminal": long}, "MALFORMED"),
        ("terminal-empty", "An empty terminal.", {"terminal": ""}, "MALFORMED"),
        (
            "terminal-control",
            "A control character in the terminal.",
            {"terminal": "till\x00"},
            "MALFORMED",
        ),
        ("redeem-text", "It redeems “yes”.", {"redeem": "yes"}, "MALFORMED"),
        ("redeem-and-hold", "It redeems and holds.", {"redeem": True, "hold": True}, "MALFORMED"),
        ("more", "It says more than there is to say.", {"holder": "me"}, "MALFORMED"),
        ("service-missing", "No service.", {"serviceCode": ...}, "MALFORMED"),
        (
            "service-unknown",
            "A service that there is not.",
            {"serviceCode": "no-such-service"},
            "SERVICE_NOT_YOURS",
        ),
        (
            "service-other",
            "A service of other partners.",
            {"serviceCode": "physical-check"},
            "SERVICE_NOT_YOURS",
        ),
        (
            "service-capitals",
            "A service in capitals.",
            {"serviceCode": "FILM-TICKETS"},
            "SERVICE_NOT_YOURS",
        ),
        (
            "serial",
            "A serial, for which this till has no scope.",
            {"presented": {"serial": "GW-V31C-VN1Z-S"}},
            "SCOPE_MISSING",
        ),
        (
            "serial-mistyped",
            "A mistyped serial.",
            {"presented": {"serial": "GW-V31C-VN1Z-T"}},
            "MALFORMED",
        ),
        (
            "credential",
            "A credential, for which this till has no scope.",
            {"presented": {"sdJwtVc": {"token": "e30.e30.e30~", "nonce": "n"}}},
            "SCOPE_MISSING",
        ),
        (
            "pass",
            "An offline pass, for which this till has no scope.",
            {"presented": {"code": "GWP1:000"}},
            "SCOPE_MISSING",
        ),
    ):
        status = {"MALFORMED": 400}.get(refusal, 403)
        case = {"body": body(**changes)}
        yield Case(f"ask-{id_}", what, case, refusal, {"status": status}, refusal)
