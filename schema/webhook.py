"""Webhooks: how a verifier hears of changes of the cards that it had accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import errors, page
from models import webhook as rows
from resolvers import webhook as webhooks
from schema.errors import Fault
from schema.info import Info
from schema.node import PageInfo
from schema.permissions import verifiers


@strawberry.type(description="Where a verifier hears of changes of cards. Verifiers.")
class Webhook:
    id: strawberry.ID = strawberry.field(description="Its id.")
    url: str = strawberry.field(description="Where changes are sent.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    ended_at: datetime | None = strawberry.field(description="When it was ended, if it was.")

    @classmethod
    def of(cls, row: rows.Webhook) -> Webhook:
        return cls(
            id=strawberry.ID(row.handle),
            url=row.url,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )


@strawberry.type(description="A webhook with its secret, which is shown this once.")
class WebhookSecret:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str = strawberry.field(
        description="What its messages are signed with, as Standard Webhooks has it: `whsec_…`."
    )

    @classmethod
    def of(cls, found: webhooks.Opened) -> WebhookSecret:
        return cls(webhook=Webhook.of(found.webhook), secret=found.secret)


@strawberry.type(description="A change of a card, as its holder's verifiers are told it.")
class CardNotice:
    id: strawberry.ID = strawberry.field(description="Its id: the `webhook-id` of its message.")
    type: str = strawberry.field(
        description=(
            "What befell the card: `card.issued`, `card.suspended`, `card.resumed`, "
            "`card.revoked`, `card.replaced` or `card.renewed`."
        )
    )
    timestamp: datetime = strawberry.field(description="When.")
    holder: strawberry.ID = strawberry.field(description="What the verifier knows the holder by.")
    areas: list[str] = strawberry.field(
        description="The areas of the card that the verifier serves, by code."
    )

    @classmethod
    def of(cls, found: webhooks.Notice) -> CardNotice:
        return cls(
            id=strawberry.ID(found.id),
            type=found.type,
            timestamp=found.at,
            holder=strawberry.ID(found.holder),
            areas=list(found.areas),
        )


@strawberry.type(description="A change in its place.")
class CardNoticeEdge:
    node: CardNotice = strawberry.field(description="The change.")
    cursor: str = strawberry.field(description="Its place: what `replayWebhook` takes too.")


@strawberry.type(description="A page of changes.")
class CardNoticeConnection:
    edges: list[CardNoticeEdge] = strawberry.field(description="The changes in their places.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")

    @classmethod
    def of(cls, found: page.Page[webhooks.Notice], after: str | None) -> CardNoticeConnection:
        return cls(
            edges=[
                CardNoticeEdge(node=CardNotice.of(one), cursor=cursor)
                for one, cursor in zip(found.items, found.cursors, strict=True)
            ],
            page_info=PageInfo.of(found.cursors, has_next=found.has_next, after=after),
        )

    @strawberry.field(description="The changes of the page.")
    def nodes(self) -> list[CardNotice]:
        return [edge.node for edge in self.edges]


@strawberry.type(description="Nothing is sent to this address, or to so many.")
class WebhookRefusedFault(Fault):
    @classmethod
    def of(cls, error: errors.WebhookRefusedError) -> WebhookRefusedFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="The verifier has no webhook with this id.")
class UnknownWebhookFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownWebhookError) -> UnknownWebhookFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.input(description="Where changes are to be sent.")
class RegisterWebhookInput:
    url: str = strawberry.field(
        description=f"The address, by https: at most {webhooks.LONGEST_URL} characters."
    )


@strawberry.input(description="A webhook that is to have a new secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A webhook to which nothing is to be sent any more.")
class EndWebhookInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A webhook that is to be sent anew what it was sent.")
class ReplayWebhookInput:
    id: strawberry.ID = strawberry.field(description="Its id.")
    after: str | None = strawberry.field(
        default=None,
        description="The cursor in `cardChanges` after which to begin; without it, from the first.",
    )


RegisterWebhookOutcome = Annotated[
    WebhookSecret | WebhookRefusedFault,
    strawberry.union("RegisterWebhookOutcome", description="The webhook, or why there is none."),
]
RotateWebhookSecretOutcome = Annotated[
    WebhookSecret | UnknownWebhookFault,
    strawberry.union(
        "RotateWebhookSecretOutcome", description="The webhook, or that there is none."
    ),
]
ChangeWebhookOutcome = Annotated[
    Webhook | UnknownWebhookFault,
    strawberry.union("ChangeWebhookOutcome", description="The webhook, or that there is none."),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Have changes of cards that the verifier had accepted sent to an address from now on, "
            "signed as Standard Webhooks has it. Verifiers."
        ),
        extensions=[verifiers()],
    )
    async def register_webhook(
        self,
        info: Info,
        input: Annotated[RegisterWebhookInput, strawberry.argument(description="Where.")],
    ) -> RegisterWebhookOutcome | None:
        try:
            return WebhookSecret.of(await webhooks.register(info.context, input.url))
        except errors.WebhookRefusedError as error:
            return WebhookRefusedFault.of(error)

    @strawberry.mutation(
        description=(
            "Give a webhook a new secret; for 24 hours its messages are signed with both. "
            "Verifiers."
        ),
        extensions=[verifiers()],
    )
    async def rotate_webhook_secret(
        self,
        info: Info,
        input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="Which.")],
    ) -> RotateWebhookSecretOutcome | None:
        try:
            return WebhookSecret.of(await webhooks.rotate(info.context, input.id))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)

    @strawberry.mutation(
        description="Send nothing to a webhook any more. Verifiers.", extensions=[verifiers()]
    )
    async def end_webhook(
        self,
        info: Info,
        input: Annotated[EndWebhookInput, strawberry.argument(description="Which.")],
    ) -> ChangeWebhookOutcome | None:
        try:
            return Webhook.of(await webhooks.end(info.context, input.id))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)

    @strawberry.mutation(
        description="Send a webhook anew what came after a cursor of `cardChanges`. Verifiers.",
        extensions=[verifiers()],
    )
    async def replay_webhook(
        self,
        info: Info,
        input: Annotated[ReplayWebhookInput, strawberry.argument(description="From where.")],
    ) -> ChangeWebhookOutcome | None:
        try:
            return Webhook.of(await webhooks.replay(info.context, input.id, input.after))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)
