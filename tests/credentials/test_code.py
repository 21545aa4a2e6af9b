from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import code
from credentials.flaw import Flaw, NotGenuineError
from models import card

BASE = "https://hub.sh.cn"
NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
MASTER = b"m" * 32
DEVICE = b"device-1"
STEP = code.step_at(NOW)


def fallback(step=STEP, master=MASTER, device=DEVICE):
    seed = code.day_seed(master, device, step // code.STEPS_A_DAY)
    return code.parse(code.fallback(BASE, seed, device, step))


@given(st.binary(min_size=16, max_size=16))
def test_a_live_code_gives_back_its_ticket_and_its_hub(secret):
    text = code.Ticket(secret).text(BASE)

    assert code.parse(text) == code.LiveCode("hub.sh.cn", code.Ticket(secret))
    assert len(text) == len("HTTPS://HUB.SH.CN/T/") + 26


def test_a_ticket_is_random_and_known_by_its_digest():
    one, other = code.new_ticket(), code.new_ticket()

    assert one != other
    assert len(one.secret) == 16
    assert one.digest == hashlib.sha256(one.secret).digest()


@pytest.mark.parametrize(
    "base", ["HTTPS://HUB.SH.CN", "Https://Hub.sh.cn", "http://127.0.0.1:8000"]
)
def test_scheme_and_host_may_be_in_any_case_and_spaces_may_stand_around(base):
    rest = code.Ticket(bytes(16)).text("")

    assert isinstance(code.parse(f" {base}{rest}\n"), code.LiveCode)


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "https://hub.sh.cn", "HTTPS://HUB.SH.CN/T/", "HTTPS://HUB.SH.CN/t/" + "0" * 26],
        "HTTPS://HUB.SH.CN/T/" + "0" * 25,
        "HTTPS://HUB.SH.CN/T/" + "0" * 27,
        "HTTPS://HUB.SH.CN/T/" + "0" * 25 + "1",
        "HTTPS://HUB.SH.CN/T/" + "0" * 25 + "u",
        "HTTPS://HUB.SH.CN/T/" + "O" * 26,
        "HTTPS://HUB.SH.CN/T/" + "0" * 26 + "?x",
        "HTTPS://a@HUB.SH.CN/T/" + "0" * 26,
        "HTTPſ://HUB.SH.CN/T/" + "0" * 26,
        "FTP://HUB.SH.CN/T/" + "0" * 26,
        "HTTPS://HUB.SH.CN/F/2" + "0" * 32,
        "HTTPS://HUB.SH.CN/F/1" + "0" * 31,
        "HTTPS://HUB.SH.CN/V/CINEMA/TILL-1",
        "HTTPS://HUB.SH.CN/V/CINEMA/-/" + "0" * 16,
        "gwp1:ABC",
        "GWP1:" + "A" * code.MOST_LENGTH,
    ],
)
def test_what_is_not_spelt_exactly_so_is_unknown(text):
    assert code.parse(text) == code.Unknown()


@given(
    st.text()
    | st.from_regex(code._ADDRESS, fullmatch=True)
    | st.from_regex(r"[Gg][Ww][- ]?[0-9A-Za-z -]{6,12}", fullmatch=True)
)
def test_whatever_is_scanned_is_some_code_or_unknown(text):
    assert isinstance(code.parse(text), code.Code)


def test_a_pass_is_handed_on_unread():
    assert code.parse("GWP1:%69 VD92EX0 ") == code.PassText("GWP1:%69 VD92EX0")


def test_a_serial_is_told_in_its_printed_form():
    printed = card.serial(0x7F3C94D457)

    assert code.parse(printed.lower().replace("-", " ")) == code.SerialText(printed)


def test_no_secret_shows_when_a_code_is_printed():
    ticket = code.Ticket(b"0123456789abcdef")

    assert "0123" not in repr(code.LiveCode("hub", ticket))


@pytest.mark.parametrize("later", [-1, 0, 1])
def test_a_fallback_code_holds_in_its_step_and_beside_it(later):
    now = NOW + timedelta(seconds=later * code.STEP_SECONDS)

    assert code.check(fallback(), MASTER, now) == STEP


@pytest.mark.parametrize("later", [-20_000, -2, 2, 2880, 30_000])
def test_a_fallback_code_out_of_its_step_is_old_and_not_forged(later):
    now = NOW + timedelta(seconds=later * code.STEP_SECONDS)

    with pytest.raises(NotGenuineError) as refused:
        code.check(fallback(), MASTER, now)

    assert refused.value.flaw is Flaw.STALE


def test_a_fallback_code_holds_across_midnight():
    midnight = datetime(2026, 11, 29, tzinfo=UTC)
    first = code.step_at(midnight)

    assert code.check(fallback(first - 1), MASTER, midnight) == first - 1
    assert code.check(fallback(first), MASTER, midnight - timedelta(seconds=1)) == first


def test_a_seed_serves_one_device_for_one_day():
    today = STEP // code.STEPS_A_DAY
    seed = code.day_seed(MASTER, DEVICE, today)

    assert code.day_seed(MASTER, DEVICE, today) == seed
    assert code.day_seed(MASTER, DEVICE, today + 1) != seed
    assert code.day_seed(MASTER, b"device-2", today) != seed
    assert code.day_seed(b"n" * 32, DEVICE, today) != seed


def test_the_seed_of_yesterday_makes_no_code_of_today():
    stolen = code.day_seed(MASTER, DEVICE, STEP // code.STEPS_A_DAY - 1)
    forged = code.parse(code.fallback(BASE, stolen, DEVICE, STEP))

    with pytest.raises(NotGenuineError) as refused:
        code.check(forged, MASTER, NOW)

    assert refused.value.flaw is Flaw.BAD_SIGNATURE


@given(st.integers(0, 31), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_every_character_of_a_fallback_code_counts(place, letter):
    seed = code.day_seed(MASTER, DEVICE, STEP // code.STEPS_A_DAY)
    text = code.fallback(BASE, seed, DEVICE, STEP)
    at = text.index("/F/1") + 4 + place
    changed = text[:at] + letter + text[at + 1 :]
    if changed == text:
        return

    with pytest.raises(NotGenuineError):
        code.check(code.parse(changed), MASTER, NOW)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 1 << 40))
def test_a_fallback_code_is_always_as_long(device, step):
    seed = code.day_seed(MASTER, device, step // code.STEPS_A_DAY)

    assert len(code.fallback(BASE, seed, device, step)) == len("HTTPS://HUB.SH.CN/F/") + 33


def test_a_venue_code_names_partner_and_terminal():
    found = code.parse(code.venue(BASE, MASTER, "star-cinema", "till-1"))

    assert (found.host, found.partner, found.terminal) == ("hub.sh.cn", "star-cinema", "till-1")
    code.check_venue(found, MASTER)


@pytest.mark.parametrize("other", ["/V/MOON-CINEMA/TILL-1/", "/V/STAR-CINEMA/TILL-2/"])
def test_nobody_prints_a_venue_code_for_another(other):
    text = code.venue(BASE, MASTER, "star-cinema", "till-1")
    forged = code.parse(text.replace("/V/STAR-CINEMA/TILL-1/", other))

    with pytest.raises(NotGenuineError) as refused:
        code.check_venue(forged, MASTER)

    assert refused.value.flaw is Flaw.BAD_SIGNATURE
