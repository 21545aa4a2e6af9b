"""Codes as a scanner reads them: good ones, forged ones, and texts that are none."""

from __future__ import annotations

from collections.abc import Iterator

from credentials import code
from credentials.flaw import Flaw
from tests.kit import keys
from tests.kit.keys import ISSUER, MASTER, NOW, PHONE, Case

GIVEN: dict[str, str] = {}
ABOUT = (
    "What scanners read. `flaw` NO_CODE means that a text is no code of ours and is refused before "
    "anything is looked up; NOT_MINTED, that it may be one, and that the hub has none such. "
    "Fallback codes are of the phone `phone`, whose seeds are derived from `master` (keys.json)."
)
NO_CODE, NOT_MINTED = "NO_CODE", "NOT_MINTED"
STEP = code.step_at(NOW)
TICKET = code.Ticket(keys.drawn("ticket"))
LIVE = TICKET.text(ISSUER)


def fallback(
    step: int = STEP, *, device: bytes = PHONE, master: bytes = MASTER, day: int | None = None
) -> str:
    seed = code.day_seed(master, device, step // code.STEPS_A_DAY if day is None else day)
    return code.fallback(ISSUER, seed, device, step)


def cases() -> Iterator[Case]:
    yield from live()
    yield from offline()
    yield from texts()


def live() -> Iterator[Case]:
    yield Case("live-good", "A live code that was minted just now.", LIVE, answer="CardAccepted")
    yield Case(
        "live-good-small",
        "Its address in small letters, as some cameras give it.",
        LIVE.replace("HTTPS://GREENWAY.EXAMPLE", ISSUER),
        answer="CardAccepted",
    )
    yield Case(
        "live-good-spaces",
        "With spaces around it, as some scanners give it.",
        f" {LIVE}\r\n",
        answer="CardAccepted",
    )
    for id_, what, text in (
        (
            "live-never-minted",
            "A ticket that was never minted.",
            code.Ticket(keys.drawn("no ticket")).text(ISSUER),
        ),
        ("live-zeros", "A ticket of zeros.", f"{ISSUER.upper()}/T/{'0' * 26}"),
        (
            "live-guess",
            "A ticket that differs in one letter.",
            LIVE[:-2] + ("1" if LIVE[-2] != "1" else "2") + LIVE[-1],
        ),
    ):
        yield Case(id_, what, text, NOT_MINTED, answer="CardNotAccepted")
    for id_, what, text in (
        ("live-lower-case", "Its ticket in small letters.", LIVE[:-26] + LIVE[-26:].lower()),
        ("live-letter-o", "The letter O in place of a digit.", LIVE[:-10] + "O" + LIVE[-9:]),
        ("live-letter-i", "The letter I.", LIVE[:-10] + "I" + LIVE[-9:]),
        ("live-letter-l", "The letter L.", LIVE[:-10] + "L" + LIVE[-9:]),
        ("live-letter-u", "The letter U.", LIVE[:-10] + "U" + LIVE[-9:]),
        ("live-last-bits", "Its ticket in another spelling.", LIVE[:-1] + "1"),
        ("live-truncated", "A letter is missing.", LIVE[:-1]),
        ("live-long", "A letter too many.", LIVE + "0"),
        ("live-hyphens", "Its ticket in groups.", LIVE[:-13] + "-" + LIVE[-13:]),
        ("live-query", "A query after it.", LIVE + "?x=1"),
        ("live-fragment", "A fragment after it.", LIVE + "#x"),
        ("live-slash", "A slash after it.", LIVE + "/"),
        ("live-two", "Two codes.", f"{LIVE} {LIVE}"),
        ("live-space-inside", "A space inside.", LIVE[:-13] + " " + LIVE[-13:]),
        ("live-path", "Another path.", LIVE.replace("/T/", "/X/")),
        ("live-scheme", "Another scheme.", LIVE.replace("HTTPS", "FTP")),
        ("live-user", "A user in its address.", LIVE.replace("HTTPS://", "HTTPS://A@")),
        ("live-nul", "A zero byte.", LIVE[:-1] + "\0"),
        ("live-full-width", "Its letters full-width.", LIVE[:-1] + "\uff10"),
    ):
        yield Case(id_, what, text, NO_CODE, answer="MALFORMED")


def offline() -> Iterator[Case]:
    good = {"answer": "CardAccepted"}
    yield Case("fallback-good", "A fallback code of this step.", fallback(), **good)
    yield Case("fallback-good-before", "Of the step before.", fallback(STEP - 1), **good)
    yield Case("fallback-good-after", "By a clock one step ahead.", fallback(STEP + 1), **good)
    today = STEP // code.STEPS_A_DAY
    for id_, what, text, flaw, answer in (
        ("fallback-two-ago", "Of two steps ago.", fallback(STEP - 2), Flaw.STALE, "CodeNotUsable"),
        (
            "fallback-two-ahead",
            "Of two steps from now.",
            fallback(STEP + 2),
            Flaw.STALE,
            "CodeNotUsable",
        ),
        (
            "fallback-yesterday",
            "Of yesterday: a photo.",
            fallback(STEP - code.STEPS_A_DAY),
            Flaw.STALE,
            "CodeNotUsable",
        ),
        (
            "fallback-tomorrow",
            "Of tomorrow.",
            fallback(STEP + code.STEPS_A_DAY),
            Flaw.STALE,
            "CodeNotUsable",
        ),
        (
            "fallback-old-seed",
            "Made today with yesterday's seed.",
            fallback(day=today - 1),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-coming-seed",
            "Made today with tomorrow's seed.",
            fallback(day=today + 1),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-other-hub",
            "Made with another hub's seed.",
            fallback(master=bytes(32)),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-mac-changed",
            "A letter of its MAC is another.",
            _changed(fallback(), -1),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-device-changed",
            "A letter of its device is another.",
            _changed(fallback(), -32),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-step-changed",
            "A letter of its step is another.",
            _changed(fallback(), -18),
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
        (
            "fallback-zeros",
            "All zeros.",
            f"{ISSUER.upper()}/F/1{'0' * 32}",
            Flaw.BAD_SIGNATURE,
            "CardNotAccepted",
        ),
    ):
        yield Case(id_, what, text, flaw, answer=answer)
    unlinked = fallback(device=keys.drawn("another phone", 8))
    yield Case(
        "fallback-unlinked",
        "A good one of a phone that nobody has linked.",
        unlinked,
        NOT_MINTED,
        answer="CardNotAccepted",
    )
    for id_, what, text in (
        ("fallback-version", "Of another version.", fallback().replace("/F/1", "/F/2")),
        ("fallback-truncated", "A letter is missing.", fallback()[:-1]),
        ("fallback-lower-case", "In small letters.", fallback()[:-32] + fallback()[-32:].lower()),
    ):
        yield Case(id_, what, text, NO_CODE, answer="MALFORMED")


def _changed(text: str, place: int) -> str:
    other = "1" if text[place] != "1" else "2"
    return text[:place] + other + (text[place + 1 :] if place != -1 else "")


def texts() -> Iterator[Case]:
    for id_, what, text in (
        ("text-empty", "Nothing.", ""),
        ("text-spaces", "Spaces.", "   "),
        ("text-words", "Words.", "open sesame"),
        ("text-url", "Another address.", "https://stranger.example/T/"),
        ("text-script", "A script.", "<script>alert(1)</script>"),
        ("text-sql", "SQL.", "' OR '1'='1' --"),
        ("text-json", "JSON.", '{"ticket":"1"}'),
        ("text-wechat-pay", "A payment code of 18 digits.", "134567890123456789"),
        (
            "text-venue",
            "A counter's printed code: it is for holders to scan.",
            code.venue(ISSUER, MASTER, keys.PARTNER, "till-1"),
        ),
        ("text-serial", "A printed serial: it is no code.", "GW-V31C-VN1Z-S"),
        ("text-emoji", "Emoji.", "🎬" * 10),
        ("text-directions", "Letters that turn the direction of text.", "\u202e" + LIVE),
        ("text-line-breaks", "Line breaks.", "\n".join([LIVE, LIVE])),
    ):
        yield Case(id_, what, text, NO_CODE, answer="MALFORMED")
    yield Case(
        "text-oversize",
        "It is one character too long.",
        "A" * (code.MOST_LENGTH + 1),
        NO_CODE,
        answer="TOO_LARGE",
    )
