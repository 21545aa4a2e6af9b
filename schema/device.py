"""Holders' phones, the seeds of their fallback codes, and what they keep to show by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from credentials import base64url, code
from models import errors, presentation, verification
from resolvers import credential as issued
from resolvers import device as devices
from schema.consent import CardPartner, ConsentTextFault, NotServedFault
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.menu import Service
from schema.permissions import holders
from schema.presentation import NoLiveCardFault, TooOftenFault


@strawberry.type(description="A phone of a holder.")
class Device:
    id: strawberry.ID = strawberry.field(
        description="Its id: the handle in its fallback codes, 64 bits in hex."
    )
    name: str = strawberry.field(description="What its holder calls it.")
    has_key: bool = strawberry.field(
        description="Whether it has a key of its own, so that it can have offline passes."
    )
    linked_at: datetime = strawberry.field(description="When it was linked.")
    unlinked_at: datetime | None = strawberry.field(
        description="When its codes and passes stopped to count, if they did."
    )

    @classmethod
    def of(cls, row: presentation.Device) -> Device:
        return cls(
            id=strawberry.ID(row.handle),
            name=row.name,
            has_key=row.public is not None,
            linked_at=row.linked_at,
            unlinked_at=row.unlinked_at,
        )


@strawberry.type(description="What a phone makes its fallback codes of, on one day.")
class FallbackSeed:
    secret: str = strawberry.field(description="The secret, in base64url. It lasts this day only.")
    begins_at: datetime = strawberry.field(description="From when on it is to be used.")
    ends_at: datetime = strawberry.field(description="Until when it is.")

    @classmethod
    def of(cls, seed: devices.Seed) -> FallbackSeed:
        return cls(
            secret=base64url.encode(seed.secret), begins_at=seed.begins_at, ends_at=seed.ends_at
        )


@strawberry.type(description="What a phone needs to show codes without a network.")
class FallbackSeeds:
    base: str = strawberry.field(description="The hub's address, as it stands in the codes.")
    step_seconds: int = strawberry.field(description="How long each code is shown, in seconds.")
    seeds: list[FallbackSeed] = strawberry.field(description="Today's and tomorrow's.")


@strawberry.type(description="A signed pass for one partner, for a phone that is offline.")
class OfflinePass:
    cwt: str = strawberry.field(
        description="The pass in base64url: a CWT, to which the phone adds step and signature."
    )
    expires_at: datetime = strawberry.field(description="When it ends.")
    partner: CardPartner = strawberry.field(description="The one partner it is for.")
    service: Service = strawberry.field(description="What it is for.")
    discloses: list[verification.Category] = strawberry.field(description="What it says.")
    consent: strawberry.ID | None = strawberry.field(
        description="The consent on which it says what is personal; null where it does not."
    )

    @classmethod
    def of(cls, passed: issued.Passed, info: Info) -> OfflinePass:
        return cls(
            cwt=base64url.encode(passed.cwt),
            expires_at=passed.expires_at,
            partner=CardPartner.of(passed.asking.verifier),
            service=Service.of(passed.asking.service, info),
            discloses=list(passed.categories),
            consent=strawberry.ID(passed.consent.handle) if passed.consent else None,
        )


@strawberry.type(description="Portable credentials of one card, each to be shown once.")
class CredentialBatch:
    credentials: list[str] = strawberry.field(
        description="SD-JWT VCs with all their disclosures, in the order of the keys."
    )
    vct: str = strawberry.field(description="Their type; its metadata are at that address.")
    expires_at: datetime = strawberry.field(description="When they end.")

    @classmethod
    def of(cls, batch: issued.Batch) -> CredentialBatch:
        return cls(credentials=list(batch.cards), vct=batch.vct, expires_at=batch.expires_at)


@strawberry.type(description="The viewer has linked no phone with this id.")
class UnknownDeviceFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownDeviceError) -> UnknownDeviceFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.input(description="A P-256 public key: the coordinates of its JWK (RFC 7518).")
class PublicKeyInput:
    x: str = strawberry.field(description="Its `x`, in base64url.")
    y: str = strawberry.field(description="Its `y`, in base64url.")

    def point(self) -> tuple[str, str]:
        return self.x, self.y


@strawberry.input(description="A phone to be linked.")
class LinkDeviceInput:
    name: str = strawberry.field(
        description=f"What its holder calls it: 1 to {devices.LONGEST_NAME} characters."
    )
    public_key: PublicKeyInput | None = strawberry.field(
        default=None, description="Its own key; without one it can have no offline passes."
    )


@strawberry.input(description="A phone to be unlinked.")
class UnlinkDeviceInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A pass that is wanted.")
class IssuePassInput:
    device: strawberry.ID = strawberry.field(description="The phone that shows it, by id.")
    partner_code: str = strawberry.field(description="The partner it is for, by code.")
    service_code: str = strawberry.field(description="The service it is for, by code.")
    agreed_to: str | None = strawberry.field(
        default=None,
        description=(
            "The digest of the text that the holder agreed to (`disclosure`), for this pass alone; "
            "without it, it says nothing personal."
        ),
    )
    language: str | None = strawberry.field(
        default=None, description="The language of the text shown; else Accept-Language counts."
    )

    def wanted(self) -> issued.PassWanted:
        return issued.PassWanted(
            self.device, self.partner_code, self.service_code, self.agreed_to, self.language
        )


@strawberry.input(description="Portable credentials that are wanted.")
class IssueCredentialsInput:
    public_keys: list[PublicKeyInput] = strawberry.field(
        description=f"A key for each credential: 1 to {issued.BATCH}."
    )
    device: strawberry.ID | None = strawberry.field(
        default=None, description="The linked phone that keeps them: they end with it."
    )


FallbackSeedsOutcome = Annotated[
    FallbackSeeds | UnknownDeviceFault | NoLiveCardFault,
    strawberry.union("FallbackSeedsOutcome", description="The seeds, or why there are none."),
]
LinkDeviceOutcome = Annotated[
    Device | NoLiveCardFault,
    strawberry.union("LinkDeviceOutcome", description="The phone, or why it was not linked."),
]
UnlinkDeviceOutcome = Annotated[
    Device | UnknownDeviceFault,
    strawberry.union("UnlinkDeviceOutcome", description="The phone as it is, or none."),
]
IssuePassOutcome = Annotated[
    OfflinePass
    | NoLiveCardFault
    | UnknownDeviceFault
    | NotServedFault
    | ConsentTextFault
    | TooOftenFault
    | UnknownCodeFault,
    strawberry.union("IssuePassOutcome", description="The pass, or why there is none."),
]
IssueCredentialsOutcome = Annotated[
    CredentialBatch | NoLiveCardFault | UnknownDeviceFault | TooOftenFault,
    strawberry.union(
        "IssueCredentialsOutcome", description="The credentials, or why there are none."
    ),
]


def fallback(seeds: list[devices.Seed], info: Info) -> FallbackSeeds:
    """Return what a phone needs to show codes without a network."""
    return FallbackSeeds(
        base=info.context.authority.issuer,
        step_seconds=code.STEP_SECONDS,
        seeds=[FallbackSeed.of(one) for one in seeds],
    )


#: Why a phone is not issued what it is to show by itself.
_NOT_ISSUED = (errors.NoLiveCardError, errors.TooOftenError, errors.UnknownDeviceError)


def _not_issued(
    error: errors.NoLiveCardError | errors.TooOftenError | errors.UnknownDeviceError, info: Info
) -> NoLiveCardFault | TooOftenFault | UnknownDeviceFault:
    if isinstance(error, errors.NoLiveCardError):
        return NoLiveCardFault.of(error)
    if isinstance(error, errors.TooOftenError):
        return TooOftenFault.of(error, info)
    return UnknownDeviceFault.of(error)


@strawberry.type
class Acts:
    @strawberry.mutation(
        description="Link a phone, so that it can show the card without a network. Holders.",
        extensions=[holders()],
    )
    async def link_device(
        self,
        info: Info,
        input: Annotated[LinkDeviceInput, strawberry.argument(description="The phone.")],
    ) -> LinkDeviceOutcome | None:
        point = input.public_key.point() if input.public_key else None
        try:
            return Device.of(await devices.link(info.context, input.name, point))
        except errors.NoLiveCardError as error:
            return NoLiveCardFault.of(error)

    @strawberry.mutation(
        description=(
            "Unlink a phone: none of its codes, passes and credentials counts from now on. "
            "Unlinked again, it stays so. Holders."
        ),
        extensions=[holders()],
    )
    async def unlink_device(
        self,
        info: Info,
        input: Annotated[UnlinkDeviceInput, strawberry.argument(description="Which phone.")],
    ) -> UnlinkDeviceOutcome | None:
        try:
            return Device.of(await devices.unlink(info.context, input.id))
        except errors.UnknownDeviceError as error:
            return UnknownDeviceFault.of(error)

    @strawberry.mutation(
        description=(
            "Issue an offline pass for one partner to a linked phone, for 7 days at most. Holders."
        ),
        extensions=[holders()],
    )
    async def issue_pass(
        self,
        info: Info,
        input: Annotated[IssuePassInput, strawberry.argument(description="The pass.")],
    ) -> IssuePassOutcome | None:
        try:
            return OfflinePass.of(await issued.give_pass(info.context, input.wanted()), info)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
        except _NOT_ISSUED as error:
            return _not_issued(error, info)

    @strawberry.mutation(
        description=(
            "Issue at most 10 portable credentials of the viewer's card (SD-JWT VC), each for a "
            "key of its own and with a place of its own in a status list, for 90 days. Holders."
        ),
        extensions=[holders()],
    )
    async def issue_credentials(
        self,
        info: Info,
        input: Annotated[IssueCredentialsInput, strawberry.argument(description="For which keys.")],
    ) -> IssueCredentialsOutcome | None:
        points = [one.point() for one in input.public_keys]
        try:
            return CredentialBatch.of(await issued.give_cards(info.context, points, input.device))
        except _NOT_ISSUED as error:
            return _not_issued(error, info)
