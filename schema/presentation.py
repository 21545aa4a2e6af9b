"""What holders show: live codes, their phones and fallback codes, passes, portable credentials."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated

import strawberry

from credentials import qr
from models import errors, verification
from resolvers import presentation as presentations
from schema.consent import CardPartner, ConsentTextFault, NotServedFault
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.menu import Service
from schema.permissions import holders


@strawberry.type(description="A live code: whoever scans it learns what is said here, once.")
class LiveCode:
    code: str = strawberry.field(description="The text of the code. Show it, and keep it nowhere.")
    expires_at: datetime = strawberry.field(description="When it is of no use any more.")
    renew_after: datetime = strawberry.field(description="When to show a new one.")
    partner: CardPartner = strawberry.field(description="Who may scan it.")
    service: Service = strawberry.field(description="What it is for.")
    terminal: str | None = strawberry.field(
        description="The counter, door or till whose printed code was scanned, if one was."
    )
    policy: str = strawberry.field(description="By what policy it discloses, with its version.")
    discloses: list[verification.Category] = strawberry.field(
        description="What the partner learns by it, at most."
    )
    consent: strawberry.ID | None = strawberry.field(
        description="The consent on which it tells what is personal; null where it does not."
    )

    @classmethod
    def of(cls, live: presentations.Live, info: Info) -> LiveCode:
        return cls(
            code=live.text,
            expires_at=live.ticket.expires_at,
            renew_after=live.ticket.minted_at + presentations.RENEWAL,
            partner=CardPartner.of(live.asking.verifier),
            service=Service.of(live.asking.service, info),
            terminal=live.terminal,
            policy=live.policy.code,
            discloses=list(live.policy.categories),
            consent=strawberry.ID(live.consent.handle) if live.consent else None,
        )

    @strawberry.field(description="The code as a picture, in SVG.")
    def svg(self) -> str:
        return qr.svg(self.code)

    @strawberry.field(description="The code as a picture: PNG, in base64.")
    def png(self) -> str:
        return base64.b64encode(qr.png(self.code)).decode()


@strawberry.type(description="The viewer has no card to show.")
class NoLiveCardFault(Fault):
    card_status: str | None = strawberry.field(
        description="How their card is: `SUSPENDED`, `REVOKED` or `EXPIRED`; null: there is none."
    )

    @classmethod
    def of(cls, error: errors.NoLiveCardError) -> NoLiveCardFault:
        return cls(
            code=error.code, message=error.sentence, hint=error.hint, card_status=error.status
        )


@strawberry.type(description="Codes or credentials were wanted faster than anybody uses them.")
class TooOftenFault(Fault):
    retry_after: datetime | None = strawberry.field(description="When to ask again.")

    @classmethod
    def of(cls, error: errors.TooOftenError, info: Info) -> TooOftenFault:
        again = info.context.moment(error.seconds)
        return cls(code=error.code, message=error.sentence, hint=error.hint, retry_after=again)


@strawberry.input(description="What is to be shown, and to whom.")
class PresentCardInput:
    service_code: str = strawberry.field(description="What it is for, by code.")
    partner_code: str | None = strawberry.field(
        default=None, description="Who may scan it, by code; or give `venueCode`."
    )
    venue_code: str | None = strawberry.field(
        default=None, description="The text of the partner's printed code, as it was scanned."
    )
    agreed_to: str | None = strawberry.field(
        default=None,
        description=(
            "The digest of the text that the holder agreed to (`disclosure`), for this code alone; "
            "without it, what is personal is told on a standing consent or not at all."
        ),
    )
    language: str | None = strawberry.field(
        default=None, description="The language of the text shown; else Accept-Language counts."
    )
    members: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The children it is agreed to for, by their ids in `household`.",
    )

    def shown(self) -> presentations.Shown:
        return presentations.Shown(
            service=self.service_code,
            partner=self.partner_code,
            venue=self.venue_code,
            members=tuple(self.members or ()),
            agreed_to=self.agreed_to,
            language=self.language,
        )


PresentCardOutcome = Annotated[
    LiveCode
    | NoLiveCardFault
    | NotServedFault
    | ConsentTextFault
    | TooOftenFault
    | UnknownCodeFault,
    strawberry.union("PresentCardOutcome", description="The live code, or why there is none."),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Mint a live code of the viewer's card for one partner and service: scanned once, "
            "within a minute. It discloses what is agreed to and no more. Holders."
        ),
        extensions=[holders()],
    )
    async def present_card(
        self,
        info: Info,
        input: Annotated[
            PresentCardInput, strawberry.argument(description="What is shown, and to whom.")
        ],
    ) -> PresentCardOutcome | None:
        try:
            return LiveCode.of(await presentations.present(info.context, input.shown()), info)
        except errors.NoLiveCardError as error:
            return NoLiveCardFault.of(error)
        except errors.TooOftenError as error:
            return TooOftenFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
