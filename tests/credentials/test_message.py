from __future__ import annotations

import base64
import hashlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from credentials import es256, message, token
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
KEY = token.new_key()
URL = "https://hub.example/v1/verify?batch=1"
BODY = b'{"serviceCode":"outpatient"}'
REQUEST = {"method": "POST", "url": URL, "body": BODY}


def signed(key=KEY, now=NOW, **given):
    return message.sign(key, "clinic-1", now=now, **{**REQUEST, **given})


def check(headers, *, now=NOW, **given):
    keys = {"clinic-1": KEY}.get
    pairs = headers.items() if isinstance(headers, dict) else headers
    return message.check(headers=pairs, keys=keys, now=now, **{**REQUEST, **given})


def flaw_of(headers, **given):
    with pytest.raises(NotGenuineError) as refused:
        check(headers, **given)
    return refused.value.flaw


def by_hand(covered, params):
    """A signature that we write ourselves, by the letter of RFC 9421, section 2.5."""
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    values = {
        "@method": "POST",
        "@authority": "hub.example",
        "@target-uri": URL,
        "content-digest": f"sha-256=:{digest}:",
    }
    names = " ".join(f'"{name}"' for name in covered)
    lines = [f'"{name}": {values[name]}' for name in covered]
    said = "\n".join([*lines, f'"@signature-params": ({names}){params}'])
    made = base64.b64encode(es256.sign(KEY, said.encode())).decode()
    return {
        "content-digest": values["content-digest"],
        "signature-input": f"sig1=({names}){params}",
        "signature": f"sig1=:{made}:",
    }


SECONDS = int(NOW.timestamp())
PARAMS = f';created={SECONDS};keyid="clinic-1";alg="ecdsa-p256-sha256"'


@pytest.mark.parametrize("given", [{}, {"body": b""}, {"method": "GET", "body": b""}])
def test_who_signs_a_request_is_known_by_the_key(given):
    assert check(signed(**given), **given) == "clinic-1"


def test_a_signature_written_by_the_letter_of_the_standard_holds():
    assert check(by_hand(message.COMPONENTS, PARAMS)) == "clinic-1"


@pytest.mark.parametrize("missing", message.COMPONENTS)
def test_a_signature_over_less_than_the_whole_request_does_not_hold(missing):
    covered = [name for name in message.COMPONENTS if name != missing]

    assert flaw_of(by_hand(covered, PARAMS)) is Flaw.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("params", "flaw"),
    [
        (f';created={SECONDS};keyid="clinic-2"', Flaw.BAD_SIGNATURE),
        (f";created={SECONDS}", Flaw.BAD_SIGNATURE),
        (f';created={SECONDS};keyid="clinic-1";alg="hmac-sha256"', Flaw.BAD_SIGNATURE),
        (f';created={SECONDS};keyid="clinic-1";more=1', Flaw.BAD_SIGNATURE),
        (f';created="{SECONDS}";keyid="clinic-1"', Flaw.BAD_SIGNATURE),
        (';keyid="clinic-1"', Flaw.MALFORMED),
        (f';created={SECONDS};expires={SECONDS - 1};keyid="clinic-1"', Flaw.STALE),
        (';created=-999999999999999;keyid="clinic-1"', Flaw.STALE),
        (';created=999999999999999;keyid="clinic-1"', Flaw.NOT_YET_VALID),
    ],
)
def test_a_signature_that_says_otherwise_of_itself_does_not_hold(params, flaw):
    assert flaw_of(by_hand(message.COMPONENTS, params)) is flaw


@pytest.mark.parametrize(
    "changed",
    [
        *[{"method": "PUT"}, {"method": "post"}, {"body": BODY + b" "}, {"body": b""}],
        *[{"url": URL + "1"}, {"url": "http" + URL[5:]}, {"url": URL.replace("hub", "hub2")}],
        *[{"url": "no address"}, {"url": ""}],
    ],
)
def test_a_signature_holds_for_one_request_alone(changed):
    assert flaw_of(signed(), **changed) is Flaw.BAD_SIGNATURE


@pytest.mark.parametrize("seconds", [-10, 0, 60])
def test_a_signature_holds_for_a_minute(seconds):
    assert check(signed(), now=NOW + timedelta(seconds=seconds)) == "clinic-1"


@pytest.mark.parametrize(("seconds", "flaw"), [(-11, Flaw.NOT_YET_VALID), (61, Flaw.STALE)])
def test_a_signature_does_not_hold_outside_its_minute(seconds, flaw):
    assert flaw_of(signed(), now=NOW + timedelta(seconds=seconds)) is flaw


@pytest.mark.parametrize("key", [token.new_key(), ECKey.generate_key("P-256")])
def test_a_signature_of_another_key_does_not_hold(key):
    assert flaw_of(signed(key)) is Flaw.BAD_SIGNATURE


def test_a_request_that_two_have_signed_is_refused():
    said = signed()
    twice = {
        **said,
        "Signature": f"{said['Signature']}, more={said['Signature'].partition('=')[2]}",
        "Signature-Input": (
            f"{said['Signature-Input']}, more={said['Signature-Input'].partition('=')[2]}"
        ),
    }

    assert flaw_of(twice) is Flaw.BAD_SIGNATURE


def test_a_digest_that_is_said_twice_is_refused():
    said = signed()

    assert flaw_of([*said.items(), ("content-digest", said["Content-Digest"])])


@pytest.mark.parametrize("missing", ["Signature", "Signature-Input", "Content-Digest"])
def test_a_request_that_lacks_a_header_of_its_signature_is_refused(missing):
    said = signed()
    del said[missing]

    assert flaw_of(said) is Flaw.BAD_SIGNATURE


def test_long_headers_are_refused_unread():
    begun = time.thread_time()

    assert flaw_of({**signed(), "x": "y" * 20_000_000}) is Flaw.TOO_LARGE
    assert time.thread_time() - begun < 0.05


@given(st.text(), st.text(), st.text(), st.text(), st.binary())
def test_whatever_is_sent_is_refused(named, signature, digest, url, body):
    said = {"signature-input": named, "signature": signature, "content-digest": digest}

    with pytest.raises(NotGenuineError):
        check(said, url=url, body=body)


@given(
    st.from_regex(r'(sig1|a)=\(("@method"|"@path"|"x"|;bs|;key="a"| )*\)(;created=[0-9]{1,15})?'),
    st.from_regex(r"(sig1|a)=:[A-Za-z0-9+/=]*:?"),
)
def test_whatever_looks_like_a_signature_is_refused(named, signature):
    said = {**signed(), "Signature-Input": named, "Signature": signature}

    with pytest.raises(NotGenuineError):
        check(said)
