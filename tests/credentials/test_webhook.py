from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import webhook
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
SECRET = webhook.new_secret()
BODY = b'{"type":"card.revoked"}'


def sent(*secrets):
    return webhook.headers("message-1", NOW, BODY, secrets or [SECRET])


def flaw_of(said, body=BODY, now=NOW):
    with pytest.raises(NotGenuineError) as refused:
        webhook.verify(said, body, SECRET, now)
    return refused.value.flaw


def test_the_example_that_the_libraries_are_tested_on_has_this_signature():
    said = webhook.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    assert said["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_has_256_random_bits():
    assert SECRET.startswith("whsec_")
    assert len(base64.b64decode(SECRET.removeprefix("whsec_"))) == 32
    assert webhook.new_secret() != SECRET


def test_a_message_is_known_by_its_id():
    assert webhook.verify(sent(), BODY, SECRET, NOW) == "message-1"


def test_while_a_secret_is_replaced_both_hold():
    newer = webhook.new_secret()
    said = sent(newer, SECRET)

    assert webhook.verify(said, BODY, SECRET, NOW) == "message-1"
    assert webhook.verify(said, BODY, newer, NOW) == "message-1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_message_holds_five_minutes(seconds):
    assert webhook.verify(sent(), BODY, SECRET, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_message_does_not_hold(seconds):
    assert flaw_of(sent(), now=NOW + timedelta(seconds=seconds)) is Flaw.STALE


@pytest.mark.parametrize(
    ("changed", "flaw"),
    [
        ({webhook.ID: "message-2"}, Flaw.BAD_SIGNATURE),
        ({webhook.TIMESTAMP: str(int(NOW.timestamp()) + 1)}, Flaw.BAD_SIGNATURE),
        ({webhook.TIMESTAMP: "soon"}, Flaw.MALFORMED),
        ({webhook.TIMESTAMP: "1" * 10_000}, Flaw.MALFORMED),
        ({webhook.ID: ""}, Flaw.MALFORMED),
        ({webhook.SIGNATURE: ""}, Flaw.BAD_SIGNATURE),
        ({webhook.SIGNATURE: sent()[webhook.SIGNATURE].replace("v1", "v2")}, Flaw.BAD_SIGNATURE),
        ({webhook.SIGNATURE: sent(webhook.new_secret())[webhook.SIGNATURE]}, Flaw.BAD_SIGNATURE),
    ],
)
def test_a_message_that_says_otherwise_does_not_hold(changed, flaw):
    assert flaw_of({**sent(), **changed}) is flaw


def test_another_body_does_not_hold():
    assert flaw_of(sent(), body=BODY + b" ") is Flaw.BAD_SIGNATURE


@given(st.text(), st.text(), st.text(), st.binary())
def test_whatever_is_sent_is_refused(id_, seconds, signature, body):
    said = {webhook.ID: id_, webhook.TIMESTAMP: seconds, webhook.SIGNATURE: signature}

    assert flaw_of(said, body)
    assert flaw_of({**said, webhook.TIMESTAMP: "1"}, body)
