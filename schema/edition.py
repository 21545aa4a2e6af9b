"""The menu that is in force, what changed in it, and what comes of publishing through the graph."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import errors, menu
from resolvers import edition as editions
from resolvers import menu as catalogue
from schema import cost, document, scalars
from schema.caching import PRIVATE, PUBLIC
from schema.errors import Fault, MistakesFault, UnknownCodeFault
from schema.info import Info
from schema.permissions import officers

scalars.describe(
    catalogue.ChangeKind,
    "What became of a service between two revisions of the menu.",
    {"ADDED": "It is new.", "CHANGED": "It says something else.", "REMOVED": "It is gone."},
    name="MenuChangeKind",
)


@strawberry.type(description="A menu that was published.", directives=[PUBLIC])
class MenuEdition:
    row: strawberry.Private[menu.Revision | catalogue.Catalogue]
    revision: int = strawberry.field(description="Its number; a later one is greater.")
    digest: str = strawberry.field(description="The SHA-256 of its content.")
    published_at: datetime = strawberry.field(description="When it was published.")

    @strawberry.field(
        description=(
            "Who published it through the graph; null where the menu folder was published. "
            "Officers."
        ),
        extensions=[officers()],
        directives=[PRIVATE, cost.GUARDED],
    )
    def published_by(self) -> str | None:
        return self.row.published_by

    @classmethod
    def of(cls, row: menu.Revision | catalogue.Catalogue) -> MenuEdition:
        number = row.id if isinstance(row, menu.Revision) else row.revision
        return cls(row=row, revision=number, digest=row.digest, published_at=row.published_at)


@strawberry.type(description="What is in force after somebody published.")
class Publication:
    edition: MenuEdition = strawberry.field(description="The menu that is in force.")
    code: str = strawberry.field(description="The service's code.")
    kind: catalogue.ChangeKind | None = strawberry.field(
        description="What became of the service; null where it was so already."
    )
    keys: list[str] = strawberry.field(
        description="The keys of its file that say something else, where it was there before."
    )

    @classmethod
    def of(cls, found: editions.Published) -> Publication:
        return cls(
            edition=MenuEdition.of(found.revision),
            code=found.code,
            kind=found.kind,
            keys=list(found.keys),
        )


@strawberry.type(description="Somebody published meanwhile: another menu is in force.")
class ConflictFault(Fault):
    revision: int = strawberry.field(description="The number of the menu in force.")

    @classmethod
    def of(cls, error: errors.ConflictError) -> ConflictFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint or None,
            revision=error.in_force,
        )


@strawberry.input(description="A service to be published.")
class PublishServiceInput:
    code: str = strawberry.field(description="Its code; the text says the same.")
    text: str = strawberry.field(description="The service's whole file (YAML).")
    expected_revision: int = strawberry.field(
        description="The menu it is meant for: `edition { revision }` when it was last looked at."
    )


@strawberry.input(description="A service to be taken off the menu.")
class WithdrawServiceInput:
    code: str = strawberry.field(description="Its code.")
    expected_revision: int = strawberry.field(
        description="The menu it is meant for: `edition { revision }` when it was last looked at."
    )


PublishServiceOutcome = Annotated[
    Publication | MistakesFault | ConflictFault,
    strawberry.union(
        "PublishServiceOutcome", description="What is in force, or why nothing was published."
    ),
]
WithdrawServiceOutcome = Annotated[
    Publication | MistakesFault | ConflictFault | UnknownCodeFault,
    strawberry.union(
        "WithdrawServiceOutcome", description="What is in force, or why nothing was published."
    ),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Publish the menu with this service in it, new or otherwise than it was. All of it is "
            "checked; every hub has it within a second. Sent again, it changes nothing. Officers."
        ),
        extensions=[officers()],
    )
    async def publish_service(
        self,
        info: Info,
        input: Annotated[PublishServiceInput, strawberry.argument(description="The service.")],
    ) -> PublishServiceOutcome | None:
        try:
            return Publication.of(
                await editions.publish(
                    info.context, input.code, input.text, input.expected_revision
                )
            )
        except errors.MistakesError as error:
            return MistakesFault.of(error)
        except errors.ConflictError as error:
            return ConflictFault.of(error)

    @strawberry.mutation(
        description=(
            "Publish the menu without this service; refused while another requires it, or a "
            "journey or a published document names it. Officers."
        ),
        extensions=[officers()],
    )
    async def withdraw_service(
        self,
        info: Info,
        input: Annotated[WithdrawServiceInput, strawberry.argument(description="Which service.")],
    ) -> WithdrawServiceOutcome | None:
        try:
            await document.still_named(info, "service", input.code)
            return Publication.of(
                await editions.withdraw(info.context, input.code, input.expected_revision)
            )
        except errors.MistakesError as error:
            return MistakesFault.of(error)
        except errors.ConflictError as error:
            return ConflictFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
