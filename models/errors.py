"""Every error the hub raises on purpose, drawn as one tree.

GreenwayError                        (code, hint)
├── AskerError                       the asker must change something
│   ├── RateLimitedError             RATE_LIMITED        more is asked than one caller may
│   ├── UnauthenticatedError         UNAUTHENTICATED     no token, or one that does not hold
│   ├── ForbiddenError               FORBIDDEN           this role may not ask this
│   ├── BadCursorError               BAD_CURSOR          the cursor is not one of ours
│   ├── BadInputError                BAD_INPUT           an argument is out of its range
│   ├── ConflictError                CONFLICT            the menu in force is another by now
│   ├── BadReceiptError              BAD_RECEIPT         the receipt is not one of ours
│   ├── DraftChangedError            DRAFT_CHANGED       a draft is not as it was when it was saved
│   ├── UnknownDecisionError         UNKNOWN_DECISION    the asker has no decision so called
│   ├── NotEligibleError             NOT_ELIGIBLE        only who may have a service books for it
│   ├── NotBookableError             NOT_BOOKABLE        nothing so called can be booked here
│   ├── KeyReusedError               KEY_REUSED          a key of the asker's means another thing
│   ├── BookingStateError            BOOKING_STATE       what is wanted cannot follow on what is so
│   ├── UnknownBookingError          UNKNOWN_BOOKING     the asker has no booking so called
│   ├── NoLiveCardError              NO_LIVE_CARD        a card is shown that is not to be used
│   ├── NotServedError               NOT_SERVED          a card is not taken there, for that
│   ├── ConsentTextError             CONSENT_TEXT        another text was agreed to than is shown
│   ├── UnknownConsentError          UNKNOWN_CONSENT     the asker has no consent so called
│   ├── UnknownDeviceError           UNKNOWN_DEVICE      the asker has no device so called
│   ├── UnknownPromptError           UNKNOWN_PROMPT      the asker is asked nothing so called
│   ├── TooOftenError                TOO_OFTEN           more is wanted at once than anybody uses
│   ├── UnknownCardError             UNKNOWN_CARD        no card is so called, nor held by them
│   ├── CardStateError               CARD_STATE          what is wanted cannot befall such a card
│   ├── CardsNotIssuedError          CARDS_NOT_ISSUED    some of a batch cannot have a card, so none
│   ├── UnknownRedemptionError       UNKNOWN_REDEMPTION  the asker has used nothing so called
│   ├── RedemptionStateError         REDEMPTION_STATE    what is wanted cannot follow on what is so
│   ├── CodeTakenError               CODE_TAKEN          something else is so called already
│   ├── NotGrantableError            NOT_GRANTABLE       a verifier of this kind may not do that
│   ├── TooManyKeysError             TOO_MANY_KEYS       a verifier has as many keys as may be
│   ├── BadKeyError                  BAD_KEY             a key that cannot be a verifier's
│   ├── WebhookRefusedError          WEBHOOK_REFUSED     nothing can be sent there, or to so many
│   ├── UnknownWebhookError          UNKNOWN_WEBHOOK     the asker has no webhook so called
│   ├── UnknownDocumentError         PERSISTED_QUERY_NOT_FOUND   no text is kept under this hash
│   ├── UntrustedDocumentError       DOCUMENT_NOT_TRUSTED        only published documents are run
│   └── UnknownCodeError             UNKNOWN_CODE        a slug that stands in no list
├── PartnerError                     a partner failed    (connectors/errors.py)
├── NotDoneError                     a partner's code    a partner did not do what it was asked
└── HubError                         we must change something
    ├── MistakesError                MISCONFIGURED       files of ours with mistakes, all of them
    ├── MenuMissingError             MENU_MISSING        nothing has been published yet
    ├── MenuAheadError               MENU_AHEAD          the folder lacks what was published since
    ├── IssuerSilentError            ISSUER_SILENT       nobody can say whose tokens hold
    ├── StandingMissingError         STANDING_MISSING    everybody's facts are not gathered yet
    └── RuleTooLargeError            RULE_TOO_LARGE      the database cannot ask a rule so large

Axes: whose fault (asker, partner, us) and what to do next (the hint). ``code`` is what
``errors[].extensions.code`` says; the closed list of codes is docs/querying.md.
"""

from __future__ import annotations

import difflib
import functools
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

D = TypeVar("D")
B = TypeVar("B")

#: So many mistakes of one file are told one by one.
MOST_MISTAKES = 50
#: So many characters of what was found are compared with what is known.
_COMPARED = 80


class GreenwayError(Exception):
    """An error raised on purpose; its text is safe to show to whoever asked."""

    code = "INTERNAL"

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class AskerError(GreenwayError):
    """The asker must change the request; asking the same again gives the same answer."""


class UnauthenticatedError(AskerError):
    """No token, or a token that does not hold (malformed, expired, foreign issuer)."""

    code = "UNAUTHENTICATED"

    def __init__(self, why: str = "This needs a bearer token.") -> None:
        super().__init__(why, "Send `Authorization: Bearer <token>` with a live token.")


class RateLimitedError(AskerError):
    """One caller asks for more points than they have left; ``wait`` is in whole seconds."""

    code = "RATE_LIMITED"

    def __init__(self, seconds: float, cost: int, left: int) -> None:
        self.wait = max(1, math.ceil(seconds))
        super().__init__(
            f"This costs {cost} points; you have {left} left.",
            f"Ask again in {self.wait} s, or for less.",
        )


class ForbiddenError(AskerError):
    """The asker is known and may not ask this; says nothing of whether the thing exists."""

    code = "FORBIDDEN"

    def __init__(self, needed: Iterable[str]) -> None:
        roles = " or ".join(sorted(needed))
        super().__init__(f"Only {roles} may ask this.", "Ask with a token of such a role.")


class BadCursorError(AskerError):
    """A paging cursor that the hub did not give out for this list."""

    code = "BAD_CURSOR"

    def __init__(self) -> None:
        super().__init__(
            "This cursor was not given out for this list.",
            "Use `pageInfo.endCursor` of the page before, or leave `after` out.",
        )


class BadInputError(AskerError):
    """An argument outside its range."""

    code = "BAD_INPUT"


class BadReceiptError(AskerError):
    """A receipt that the hub has not signed, or not so."""

    code = "BAD_RECEIPT"

    def __init__(self) -> None:
        super().__init__(
            "This receipt was not signed by this hub.", "Give the receipt whole, as it was given."
        )


class ConflictError(AskerError):
    """Somebody published meanwhile: the menu in force is another than the one expected."""

    code = "CONFLICT"

    def __init__(self, expected: int, in_force: int) -> None:
        self.in_force = in_force
        super().__init__(
            f"Revision {in_force} of the menu is in force, not {expected}.",
            "Look at what changed (`menuChanges`), then publish on top of it.",
        )


class DraftChangedError(AskerError, Generic[D]):
    """Rule or facts are not as they were when a draft was saved; ``draft`` is that draft."""

    code = "DRAFT_CHANGED"

    def __init__(self, draft: D) -> None:
        self.draft = draft
        super().__init__(
            "Rule or facts are not as they were when this draft was saved.",
            "Show its `changes`, then submit with `acceptChanges: true`, or save it anew.",
        )


class UnknownDecisionError(AskerError):
    """A decision that the asker has not; says nothing of whether somebody else has it."""

    code = "UNKNOWN_DECISION"

    def __init__(self) -> None:
        super().__init__("You have no decision with this id.", "`decisions` lists yours.")


class NotEligibleError(AskerError):
    """A service that the asker may not have, or not as far as is known; ``outcome`` says which."""

    code = "NOT_ELIGIBLE"

    def __init__(self, service: str, outcome: str) -> None:
        self.outcome = outcome
        super().__init__(
            f"The verdict on “{service}” is {outcome}: nothing is booked for it.",
            "`Service.verdict` says why, and what would change it.",
        )


class NotBookableError(AskerError):
    """An offer that cannot be booked through the hub: there is none, or its partner takes none.

    ``failure`` is why the ``partner`` could not say what it offers, ``retry_at`` when to try again.
    """

    code = "NOT_BOOKABLE"

    def __init__(
        self,
        sentence: str,
        partner: str,
        failure: GreenwayError | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        self.partner = partner
        self.failure = failure
        self.retry_at = retry_at
        super().__init__(sentence, "`Service.offers` says what there is.")


class KeyReusedError(AskerError):
    """An idempotency key under which the asker asked for something else before."""

    code = "KEY_REUSED"

    def __init__(self) -> None:
        super().__init__(
            "You asked for something else under this idempotency key.",
            "Make a new key for each booking; send the same one again only with the same input.",
        )


class BookingStateError(AskerError, Generic[B]):
    """An act that cannot follow on the state its ``booking`` is in."""

    code = "BOOKING_STATE"

    def __init__(self, booking: B, state: str) -> None:
        self.booking = booking
        super().__init__(f"This booking is {state}.", "Go on from its `state`, or book anew.")


class UnknownBookingError(AskerError):
    """A booking that the asker has not; says nothing of whether somebody else has it."""

    code = "UNKNOWN_BOOKING"

    def __init__(self) -> None:
        super().__init__("You have no booking with this id.", "`bookings` lists yours.")


class NoLiveCardError(AskerError):
    """A holder without a card to show; ``status`` is how theirs is, None where there is none."""

    code = "NO_LIVE_CARD"

    def __init__(self, status: str | None) -> None:
        self.status = status
        super().__init__(
            f"Your card is {status}." if status else "You have no card.",
            "Ask the talent service desk about it.",
        )


class NotServedError(AskerError):
    """A partner that takes no cards for what is wanted, or a printed code that is no partner's."""

    code = "NOT_SERVED"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "`CardArea.partners` says who takes the card for what.")


class ConsentTextError(AskerError, Generic[D]):
    """What was agreed to is not what would be told now; ``disclosure`` is what would."""

    code = "CONSENT_TEXT"

    def __init__(self, disclosure: D) -> None:
        self.disclosure = disclosure
        super().__init__(
            "This is not the text that was agreed to.",
            "Show the text of `disclosure`, and send its digest as `agreedTo`.",
        )


class UnknownConsentError(AskerError):
    """A consent that the asker has not given; says nothing of whether somebody else has."""

    code = "UNKNOWN_CONSENT"

    def __init__(self) -> None:
        super().__init__("You have given no consent with this id.", "`consents` lists yours.")


class UnknownDeviceError(AskerError):
    """A device that the asker has not linked; says nothing of whether somebody else has."""

    code = "UNKNOWN_DEVICE"

    def __init__(self) -> None:
        super().__init__("You have linked no device with this id.", "`devices` lists yours.")


class TooOftenError(AskerError):
    """Codes or credentials wanted faster than anybody uses them; more after ``seconds``."""

    code = "TOO_OFTEN"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__("You asked for this too often.", "Ask again after `retryAfter`.")


class UnknownPromptError(AskerError):
    """Nothing, or nothing any more, that the asker is asked to confirm."""

    code = "UNKNOWN_PROMPT"

    def __init__(self) -> None:
        super().__init__("You are asked nothing with this id.", "`prompts` lists what you are.")


class UnknownCardError(AskerError):
    """A card that there is not."""

    code = "UNKNOWN_CARD"

    def __init__(self) -> None:
        super().__init__(
            "There is no such card.", "Look at the serial again, or name the holder instead."
        )


class CardStateError(AskerError):
    """An act that cannot befall a card in its ``state``."""

    code = "CARD_STATE"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(f"This card is {state}.", "Go on from its status, or issue a new card.")


@dataclass(frozen=True, slots=True)
class NotIssued:
    """Whom a batch cannot have a card for: their position in it, from 0, and why."""

    position: int
    problem: str


class CardsNotIssuedError(AskerError):
    """A batch of which some cannot have a card, so that nobody was issued one."""

    code = "CARDS_NOT_ISSUED"

    def __init__(self, rows: Sequence[NotIssued]) -> None:
        self.rows = tuple(rows)
        super().__init__(
            f"No card was issued: {len(rows)} of those named cannot have one.",
            "Take them out, or mend what is wrong, and send the batch again.",
        )


class UnknownRedemptionError(AskerError):
    """A redemption that the asker has not made; says nothing of whether somebody else has."""

    code = "UNKNOWN_REDEMPTION"

    def __init__(self) -> None:
        super().__init__(
            "You have no redemption with this id.", "`entitlement.redemption` of a check names it."
        )


class RedemptionStateError(AskerError):
    """What is held no longer is: it was used, given back, or ran out."""

    code = "REDEMPTION_STATE"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(f"This redemption is {state}.", "Check the card again to use a unit.")


class CodeTakenError(AskerError):
    """A code by which something else goes."""

    code = "CODE_TAKEN"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Another verifier is called “{shown(code)}”.", "Change that one, or choose another."
        )


class NotGrantableError(AskerError):
    """Scopes beyond what a verifier's kind and tier allow; ``grantable`` is what they do."""

    code = "NOT_GRANTABLE"

    def __init__(self, scopes: Sequence[str], grantable: Sequence[str]) -> None:
        self.grantable = tuple(grantable)
        super().__init__(
            f"A verifier of this kind and tier is not granted {', '.join(scopes)}.",
            f"It may be granted {', '.join(grantable)}.",
        )


class TooManyKeysError(AskerError):
    """A further key of a sort, beside the one in force and the one that follows it."""

    code = "TOO_MANY_KEYS"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A verifier has at most {most} keys of a sort in force.", "End one of them first."
        )


class BadKeyError(AskerError):
    """What is no key, or no key of this verifier's."""

    code = "BAD_KEY"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "docs/verifying.md says how keys are made and named.")


class WebhookRefusedError(AskerError):
    """An address that nothing is sent to."""

    code = "WEBHOOK_REFUSED"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "Name another address, or end a webhook first.")


class UnknownWebhookError(AskerError):
    """A webhook that the asker has not; says nothing of whether somebody else has it."""

    code = "UNKNOWN_WEBHOOK"

    def __init__(self) -> None:
        super().__init__("You have no webhook with this id.", "`webhooks` lists yours.")


class UnknownDocumentError(AskerError):
    """A hash under which no document is kept; clients know it by this very sentence."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound", "Send the document beside its hash, once.")


class UntrustedDocumentError(AskerError):
    """A document that no application published, where only these are run."""

    code = "DOCUMENT_NOT_TRUSTED"

    def __init__(self, application: str) -> None:
        by = f"{application} did not publish" if application else "Nobody published"
        super().__init__(
            f"{by} this document, and only published ones are run here.",
            "Publish it with `greenway documents publish`.",
        )


class UnknownCodeError(AskerError):
    """A slug that stands in no list; carries the nearest right spellings."""

    code = "UNKNOWN_CODE"

    def __init__(self, noun: str, code: str, known: Iterable[str]) -> None:
        self.nearest = nearest(code, known)
        super().__init__(f"There is no {noun} “{shown(code)}”.", did_you_mean(self.nearest))


class NotDoneError(GreenwayError, Generic[B]):
    """A partner surely did not do what was asked of it about a ``booking``, which is as it was.

    ``code`` is why, in the words of partners' errors.
    """

    def __init__(self, booking: B, problem: str, sentence: str) -> None:
        self.booking = booking
        self.code = problem
        super().__init__(sentence)


class HubError(GreenwayError):
    """Something of ours is wrong; the asker can only tell us."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in one of our files: where it stands, what is wrong, what would be right."""

    file: str
    line: int
    path: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {path}{self.sentence}{hint}"


class MistakesError(HubError):
    """Files with mistakes, every one of them, in file order; of each file the first fifty."""

    code = "MISCONFIGURED"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(_first(sorted(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class MenuMissingError(HubError):
    """No menu has been published into this database yet."""

    code = "MENU_MISSING"

    def __init__(self) -> None:
        super().__init__("No menu has been published yet.", "Run `greenway menu publish`.")


class MenuAheadError(HubError):
    """Services were published through the endpoint that the menu folder has otherwise, or not."""

    code = "MENU_AHEAD"

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__(
            "The folder would undo what was published through the endpoint: "
            f"{', '.join(services)}.",
            "Run `greenway menu pull` to take it into the folder, or publish with `--replace`.",
        )


class IssuerSilentError(HubError):
    """The identity provider has given no keys since the hub started: no token can be judged."""

    code = "ISSUER_SILENT"

    def __init__(self) -> None:
        super().__init__(
            "The identity provider gives no keys, so the token cannot be judged.",
            "Ask again soon; without a token, what anybody may ask is answered.",
        )


class StandingMissingError(HubError):
    """Everybody's facts as they stand today are not gathered yet, and are too many to wait for."""

    code = "STANDING_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "The facts of everybody as they stand today are being gathered.",
            "Ask again in a minute. Running `greenway standing` each night spares the wait.",
        )


class RuleTooLargeError(HubError):
    """A rule whose list or count no database of ours can be asked for in one statement."""

    code = "RULE_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__(
            "This rule is too large to be asked of the database.",
            "Divide it, or give its clauses fewer values.",
        )


def _first(mistakes: Iterable[Mistake]) -> Iterator[Mistake]:
    for file, some in itertools.groupby(mistakes, lambda one: one.file):
        of_file = list(some)
        yield from of_file[:MOST_MISTAKES]
        if more := of_file[MOST_MISTAKES:]:
            yield Mistake(
                file, more[0].line, "", f"There are more mistakes from here on: {len(more)}."
            )


def nearest(found: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return the known spellings nearest to the one found, best first."""
    by_fold = {name.casefold(): name for name in known}
    wanted = found[:_COMPARED].casefold()
    pairs = _pairs(wanted)
    # Comparing two words takes long: those are compared that share the most pairs of letters.
    likely = heapq.nlargest(most, by_fold, key=lambda name: _likeness(pairs, _pairs(name)))
    close = difflib.get_close_matches(wanted, likely, n=most, cutoff=0.6)
    return tuple(by_fold[name] for name in close)


@functools.lru_cache(maxsize=1024)
def _pairs(word: str) -> frozenset[str]:
    """Return each two letters that are neighbours in a word, its ends counted as letters."""
    return frozenset(map("".join, itertools.pairwise(f" {word} ")))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one) + len(other))


def did_you_mean(names: Sequence[str]) -> str:
    """Return the hint that names the nearest right spellings, or nothing."""
    return f"Did you mean {' or '.join(f'“{name}”' for name in names)}?" if names else ""


def shown(text: str, most: int = 60) -> str:
    """Return text fit to stand in a sentence: one line, bounded."""
    line = "".join(character if character.isprintable() else " " for character in text[:most])
    return line if len(text) <= most else line + "…"
