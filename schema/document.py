"""Trusted documents: what applications publish, version by version, before they send it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import document as rows
from models import errors
from resolvers import document as documents
from schema import cost
from schema.errors import MistakesFault, UnknownCodeFault
from schema.execution.review import Review
from schema.info import Info
from schema.permissions import admins


@strawberry.type(description="A document that a version of an application sends.")
class PublishedDocument:
    hash: str = strawberry.field(
        description="Its SHA-256; a request may send `sha256:` and this as its `documentId`."
    )
    text: str = strawberry.field(description="Its text.")


@strawberry.type(description="A version of an application, with the documents that it sends.")
class ApplicationRelease:
    row: strawberry.Private[rows.Release]
    application: str = strawberry.field(description="The application's name.")
    version: str = strawberry.field(description="The version.")
    published_at: datetime = strawberry.field(description="When it was last published.")
    published_by: str = strawberry.field(description="Who published it.")
    retired_at: datetime | None = strawberry.field(
        description="Since when its documents count no more; null while they do."
    )
    document_count: int = strawberry.field(description="How many documents it sends.")

    @classmethod
    def of(cls, found: documents.Listed) -> ApplicationRelease:
        row = found.release
        return cls(
            row=row,
            application=row.application,
            version=row.version,
            published_at=row.published_at,
            published_by=row.published_by,
            retired_at=row.retired_at,
            document_count=found.documents,
        )

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)], description="Its documents, by their hashes."
    )
    async def documents(self, info: Info) -> list[PublishedDocument]:
        found = await documents.texts_of(info.context.database, self.row)
        return [PublishedDocument(hash=hash_, text=text) for hash_, text in found.items()]


@strawberry.input(description="A document to be published.")
class DocumentInput:
    text: str = strawberry.field(description="Its text, as the application sends it.")
    hash: str = strawberry.field(
        default="", description="Its SHA-256 by who publishes it, to be checked; empty for none."
    )


@strawberry.input(description="The documents of a version of an application.")
class PublishDocumentsInput:
    application: str = strawberry.field(description="The application's name.")
    version: str = strawberry.field(description="The version that sends them.")
    documents: list[DocumentInput] = strawberry.field(
        description="They count beside those that it sends already."
    )


@strawberry.input(description="A version of an application that is used no more.")
class RetireApplicationReleaseInput:
    application: str = strawberry.field(description="The application's name.")
    version: str = strawberry.field(description="The version.")


PublishDocumentsOutcome = Annotated[
    ApplicationRelease | MistakesFault,
    strawberry.union(
        "PublishDocumentsOutcome", description="The version as it now is, or what is wrong."
    ),
]
RetireApplicationReleaseOutcome = Annotated[
    ApplicationRelease | UnknownCodeFault,
    strawberry.union(
        "RetireApplicationReleaseOutcome",
        description="The version as it now is, or that there is none.",
    ),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Publish documents of a version of an application: each is checked as it would be "
            "where it runs, and every hub has them within a second. Sent again, it changes "
            "nothing; a version that was retired counts again. Admins."
        ),
        extensions=[admins()],
    )
    async def publish_documents(
        self,
        info: Info,
        input: Annotated[PublishDocumentsInput, strawberry.argument(description="Which, of what.")],
    ) -> PublishDocumentsOutcome | None:
        given = [
            documents.Given(f"documents[{place}]", one.text, one.hash)
            for place, one in enumerate(input.documents)
        ]
        context = info.context
        try:
            found = await documents.publish(
                context.database,
                (input.application, input.version),
                given,
                _review(info).mistakes,
                by=context.viewer.subject,
                at=context.now,
            )
        except errors.MistakesError as error:
            return MistakesFault.of(error)
        return ApplicationRelease.of(found)

    @strawberry.mutation(
        description=(
            "Let the documents of a version count no more, but where another version sends them "
            "too. Admins."
        ),
        extensions=[admins()],
    )
    async def retire_application_release(
        self,
        info: Info,
        input: Annotated[
            RetireApplicationReleaseInput, strawberry.argument(description="Which version.")
        ],
    ) -> RetireApplicationReleaseOutcome | None:
        context = info.context
        release = (input.application, input.version)
        try:
            return ApplicationRelease.of(
                await documents.retire(context.database, release, context.now)
            )
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)


async def still_named(info: Info, noun: str, code: str) -> None:
    """Let pass what no published document names.

    Raises:
        MistakesError: some do; each is told with its application, version and operation.
    """
    published = await documents.in_force(info.context.database)
    review = _review(info)
    naming = [one for one in published if (noun, code) in review.codes(one.text)]
    if naming:
        hint = "Retire these versions first: `retireApplicationRelease`."
        raise errors.MistakesError(
            [
                errors.Mistake(
                    f"{one.application} {one.version}",
                    1,
                    " and ".join(review.operations(one.text)),
                    f"A document names the {noun} “{code}”.",
                    hint,
                )
                for one in naming
            ]
        )


def _review(info: Info) -> Review:
    """Return what judges documents by the schema that is served."""
    return Review(info._raw_info.schema)  # noqa: SLF001 - strawberry's own hides what it runs
