"""Verifiers: partners as those who check cards, what each may do, and the keys it shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import errors
from models import verifier as rows
from resolvers import enrolment
from resolvers.enrolment import Known, NewKey
from schema import scalars
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.permissions import admins, verifiers

scalars.describe(
    rows.Kind,
    "What sort of partner a verifier is: the ceiling of what it may learn.",
    {
        "CINEMA": "A cinema.",
        "CULTURE": "A theatre, a museum, a library.",
        "SPORT": "A sports ground.",
        "HOSPITAL": "A hospital or a clinic.",
        "PHYSICAL_CHECK": "A centre for physical checks.",
        "SCHOOL": "A school or a school office.",
        "BANK": "A bank.",
        "HOUSING": "Who lets homes.",
        "DISTRICT": "Another district's office or hub.",
    },
    name="VerifierKind",
)
scalars.describe(
    rows.Scope,
    "What a verifier may do; in tokens it is spelt as `verify:code` is.",
    {
        "VERIFY_CODE": "Check what a phone or a printed code shows (`verify:code`).",
        "VERIFY_SERIAL": "Have a holder confirm a serial (`verify:serial`).",
        "VERIFY_BATCH": "Check many at once (`verify:batch`).",
        "VERIFY_OFFLINE": "Report what was checked offline (`verify:offline`).",
        "REDEEM": "Use a unit of an entitlement (`redeem`).",
        "DISCLOSE_TIER": "Learn the card's tier (`disclose:tier`).",
        "DISCLOSE_IDENTITY": "Learn who the holder is (`disclose:identity`).",
        "DISCLOSE_PATIENT": "Learn what a hospital needs (`disclose:patient`).",
        "DISCLOSE_GUARDIAN": "Learn what a school needs (`disclose:guardian`).",
        "SANDBOX": "See test cards alone (`sandbox`): a key gives it, nobody grants it.",
    },
    name="VerifierScope",
)
scalars.describe(
    rows.KeySort,
    "How a verifier shows who it is.",
    {
        "API_KEY": "A secret of a till, shown with each request.",
        "JWK": "A P-256 key by which a server signs.",
        "CERTIFICATE": "A certificate that requests come by.",
    },
    name="VerifierKeySort",
)


@strawberry.type(description="A key of a verifier, without any secret.")
class VerifierKey:
    name: str = strawberry.field(description="Its public name: an API key's id, or a thumbprint.")
    sort: rows.KeySort = strawberry.field(description="What sort of key it is.")
    live: bool = strawberry.field(
        description="Whether it sees people's cards; one that is not sees test cards alone."
    )
    created_at: datetime = strawberry.field(description="When it was added.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it counts.")

    @classmethod
    def of(cls, row: rows.VerifierKey) -> VerifierKey:
        return cls(
            name=row.name,
            sort=row.sort,
            live=row.live,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )


@strawberry.type(description="A partner that checks cards.")
class Verifier:
    code: str = strawberry.field(description="Its code, a partner's where it has a partner file.")
    name: str = strawberry.field(description="Its name, as holders read it.")
    contact: str = strawberry.field(description="Whom holders turn to there.")
    kind: rows.Kind = strawberry.field(description="What sort of partner it is.")
    tier: int = strawberry.field(
        description=(
            "How it must show itself: 1 by an API key, 2 by a signed token request and proofs, 3 "
            "by these and a certificate or signed requests."
        )
    )
    scopes: list[rows.Scope] = strawberry.field(description="What it may do.")
    services: list[str] = strawberry.field(description="The services it may ask about, by code.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    suspended_at: datetime | None = strawberry.field(
        description="Since when it is not heard; null while it is."
    )
    keys: list[VerifierKey] = strawberry.field(
        description="All keys it ever had, in the order they were added."
    )

    @classmethod
    def of(cls, known: Known) -> Verifier:
        row, profile = known.row, rows.profile(known.row)
        return cls(
            code=profile.code,
            name=profile.name,
            contact=profile.contact,
            kind=profile.kind,
            tier=profile.tier,
            scopes=list(profile.scopes),
            services=list(profile.services),
            created_at=row.created_at,
            suspended_at=row.suspended_at,
            keys=[VerifierKey.of(one) for one in known.keys],
        )


@strawberry.type(description="A key that was added.")
class AddedVerifierKey:
    key: VerifierKey = strawberry.field(description="The key.")
    secret: str | None = strawberry.field(
        description="An API key's text: it is told here, once, and kept nowhere. Else null."
    )

    @classmethod
    def of(cls, row: rows.VerifierKey, secret: str | None = None) -> AddedVerifierKey:
        return cls(key=VerifierKey.of(row), secret=secret)


@strawberry.type(description="Another verifier has this code.")
class CodeTakenFault(Fault):
    @classmethod
    def of(cls, error: errors.CodeTakenError) -> CodeTakenFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="A verifier of this kind and tier may not do all that.")
class NotGrantableFault(Fault):
    grantable: list[rows.Scope] = strawberry.field(description="What it may be granted.")

    @classmethod
    def of(cls, error: errors.NotGrantableError) -> NotGrantableFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint,
            grantable=[rows.Scope(one) for one in error.grantable],
        )


@strawberry.type(description="The verifier has as many keys of this sort as it may have.")
class TooManyKeysFault(Fault):
    @classmethod
    def of(cls, error: errors.TooManyKeysError) -> TooManyKeysFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="What was given is no key, or no key of this verifier's.")
class BadKeyFault(Fault):
    @classmethod
    def of(cls, error: errors.BadKeyError) -> BadKeyFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.input(description="A partner that shall check cards.")
class RegisterVerifierInput:
    code: str = strawberry.field(
        description="Its code, a partner's where it has a partner file; it never changes."
    )
    name: str = strawberry.field(description="Its name, as holders read it.")
    contact: str = strawberry.field(description="Whom holders turn to there.")
    kind: rows.Kind = strawberry.field(description="What sort of partner it is.")
    tier: int = strawberry.field(description="How it must show itself: 1, 2 or 3.")
    scopes: list[rows.Scope] = strawberry.field(description="What it may do.")
    services: list[str] = strawberry.field(description="The services it may ask about, by code.")

    def wanted(self) -> rows.Profile:
        return rows.Profile(
            self.code,
            self.name,
            self.contact,
            self.kind,
            self.tier,
            tuple(self.scopes),
            tuple(self.services),
        )


@strawberry.input(description="What shall be otherwise of a verifier; what is left out stays.")
class ChangeVerifierInput:
    code: str = strawberry.field(description="Which verifier.")
    name: str | None = strawberry.field(description="Its name.", default=None)
    contact: str | None = strawberry.field(description="Whom holders turn to there.", default=None)
    tier: int | None = strawberry.field(
        description="How it must show itself: 1, 2 or 3.", default=None
    )
    scopes: list[rows.Scope] | None = strawberry.field(description="What it may do.", default=None)
    services: list[str] | None = strawberry.field(
        description="The services it may ask about, by code.", default=None
    )

    def wanted(self) -> dict[str, object]:
        said: dict[str, object] = {
            "name": self.name,
            "contact": self.contact,
            "tier": self.tier,
            "scopes": None if self.scopes is None else tuple(self.scopes),
            "services": None if self.services is None else tuple(self.services),
        }
        return {name: value for name, value in said.items() if value is not None}


@strawberry.input(description="A key that a verifier shall have.")
class AddVerifierKeyInput:
    code: str = strawberry.field(description="Which verifier.")
    sort: rows.KeySort = strawberry.field(description="What sort of key.")
    live: bool = strawberry.field(
        description="Whether it sees people's cards; one that is not sees test cards alone."
    )
    public_key: str | None = strawberry.field(
        description="For JWK: the public P-256 key as a JSON Web Key (RFC 7517), in JSON.",
        default=None,
    )
    thumbprint: str | None = strawberry.field(
        description="For CERTIFICATE: the SHA-256 of the certificate in DER, in base64url.",
        default=None,
    )

    def wanted(self) -> NewKey:
        return NewKey(self.sort, self.live, self.public_key or "", self.thumbprint or "")


@strawberry.input(description="A key that shall count no more.")
class EndVerifierKeyInput:
    code: str = strawberry.field(description="Which verifier.")
    name: str = strawberry.field(description="The key's public name.")


@strawberry.input(description="A verifier that shall not be heard.")
class SuspendVerifierInput:
    code: str = strawberry.field(description="Which verifier.")


@strawberry.input(description="A verifier that shall be heard again.")
class ResumeVerifierInput:
    code: str = strawberry.field(description="Which verifier.")


@strawberry.input(
    description=(
        "A new key of the verifier asking, as two signed statements (docs/verifying.md): of a key "
        "in force, and of the new one."
    )
)
class RotateVerifierKeyInput:
    current: str = strawberry.field(description="The statement that a key in force has signed.")
    following: str = strawberry.field(description="The statement that the new key has signed.")
    end_current: bool = strawberry.field(
        description="Whether the key in force ends now; else both count.", default=False
    )


RegisterVerifierOutcome = Annotated[
    Verifier | CodeTakenFault | NotGrantableFault | UnknownCodeFault,
    strawberry.union(
        "RegisterVerifierOutcome", description="The verifier, or why it was not registered."
    ),
]
ChangeVerifierOutcome = Annotated[
    Verifier | NotGrantableFault | UnknownCodeFault,
    strawberry.union("ChangeVerifierOutcome", description="The verifier, or why it is as it was."),
]
AddVerifierKeyOutcome = Annotated[
    AddedVerifierKey | BadKeyFault | TooManyKeysFault | UnknownCodeFault,
    strawberry.union("AddVerifierKeyOutcome", description="The key, or why it was not added."),
]
EndVerifierKeyOutcome = Annotated[
    VerifierKey | UnknownCodeFault,
    strawberry.union(
        "EndVerifierKeyOutcome", description="The key that ended, or that there is none."
    ),
]
SuspendVerifierOutcome = Annotated[
    Verifier | UnknownCodeFault,
    strawberry.union("SuspendVerifierOutcome", description="The verifier, or that there is none."),
]
ResumeVerifierOutcome = Annotated[
    Verifier | UnknownCodeFault,
    strawberry.union("ResumeVerifierOutcome", description="The verifier, or that there is none."),
]
RotateVerifierKeyOutcome = Annotated[
    AddedVerifierKey | BadKeyFault | TooManyKeysFault,
    strawberry.union("RotateVerifierKeyOutcome", description="The new key, or why there is none."),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description="Register a partner that checks cards; it has no key yet. Admins.",
        extensions=[admins()],
    )
    async def register_verifier(
        self,
        info: Info,
        input: Annotated[RegisterVerifierInput, strawberry.argument(description="The partner.")],
    ) -> RegisterVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.register(
                    context.authority.verifiers,
                    input.wanted(),
                    context.catalogue.services,
                    context.now,
                )
            )
        except errors.CodeTakenError as error:
            return CodeTakenFault.of(error)
        except errors.NotGrantableError as error:
            return NotGrantableFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Change what a verifier may do, or how it is called. Admins.",
        extensions=[admins()],
    )
    async def change_verifier(
        self,
        info: Info,
        input: Annotated[
            ChangeVerifierInput, strawberry.argument(description="What is otherwise.")
        ],
    ) -> ChangeVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.change(
                    context.authority.verifiers,
                    input.code,
                    input.wanted(),
                    context.catalogue.services,
                )
            )
        except errors.NotGrantableError as error:
            return NotGrantableFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description=(
            "Give a verifier a key; of a sort and a world, at most two count. An API key is made "
            "here and told once. Admins."
        ),
        extensions=[admins()],
    )
    async def add_verifier_key(
        self,
        info: Info,
        input: Annotated[AddVerifierKeyInput, strawberry.argument(description="The key.")],
    ) -> AddVerifierKeyOutcome | None:
        context = info.context
        try:
            return AddedVerifierKey.of(
                *await enrolment.add_key(
                    context.authority.verifiers, input.code, input.wanted(), context.now
                )
            )
        except errors.BadKeyError as error:
            return BadKeyFault.of(error)
        except errors.TooManyKeysError as error:
            return TooManyKeysFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="End a key of a verifier, for good. Admins.", extensions=[admins()]
    )
    async def end_verifier_key(
        self,
        info: Info,
        input: Annotated[EndVerifierKeyInput, strawberry.argument(description="Which key.")],
    ) -> EndVerifierKeyOutcome | None:
        context = info.context
        try:
            return VerifierKey.of(
                await enrolment.end_key(
                    context.authority.verifiers, input.code, input.name, context.now
                )
            )
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Hear a verifier no more, in any process, from a second on. Admins.",
        extensions=[admins()],
    )
    async def suspend_verifier(
        self,
        info: Info,
        input: Annotated[SuspendVerifierInput, strawberry.argument(description="Which verifier.")],
    ) -> SuspendVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.suspend(context.authority.verifiers, input.code, context.now)
            )
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Hear a verifier again, by the keys it had. Admins.", extensions=[admins()]
    )
    async def resume_verifier(
        self,
        info: Info,
        input: Annotated[ResumeVerifierInput, strawberry.argument(description="Which verifier.")],
    ) -> ResumeVerifierOutcome | None:
        try:
            return Verifier.of(await enrolment.resume(info.context.authority.verifiers, input.code))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Bring a new key, signed by one in force and by itself. Verifiers.",
        extensions=[verifiers()],
    )
    async def rotate_verifier_key(
        self,
        info: Info,
        input: Annotated[RotateVerifierKeyInput, strawberry.argument(description="The new key.")],
    ) -> RotateVerifierKeyOutcome | None:
        context = info.context
        try:
            return AddedVerifierKey.of(
                await enrolment.rotate(
                    context.authority,
                    context.viewer.asking(),
                    input.current,
                    input.following,
                    end=input.end_current,
                )
            )
        except errors.BadKeyError as error:
            return BadKeyFault.of(error)
        except errors.TooManyKeysError as error:
            return TooManyKeysFault.of(error)
