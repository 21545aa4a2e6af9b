"""Faults: what a lookup or a mutation answers instead of the thing, as data."""

from __future__ import annotations

import strawberry

from models import errors
from schema import cost
from schema.caching import PUBLIC


@strawberry.interface(
    description="An expected failure, as data: what is wrong, and what to do.", directives=[PUBLIC]
)
class Fault:
    code: str = strawberry.field(description="One word of the list in docs/querying.md.")
    message: str = strawberry.field(description="What is wrong, in a sentence to show.")
    hint: str | None = strawberry.field(description="What to do about it, where that is known.")


@strawberry.type(description="No list has this code.", directives=[PUBLIC])
class UnknownCodeFault(Fault):
    nearest: list[str] = strawberry.field(description="The nearest codes there are, best first.")

    @classmethod
    def of(cls, error: errors.UnknownCodeError) -> UnknownCodeFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint or None,
            nearest=list(error.nearest),
        )


@strawberry.type(description="One mistake in a file of ours, or in a text meant to become one.")
class Mistake:
    file: str = strawberry.field(description="The file.")
    line: int = strawberry.field(description="The line, counted from 1.")
    path: str = strawberry.field(description="Where in the file, such as `eligibility.all[0]`.")
    message: str = strawberry.field(description="What is wrong, in a sentence to show.")
    hint: str | None = strawberry.field(description="What would be right, where that is known.")

    @classmethod
    def of(cls, row: errors.Mistake) -> Mistake:
        return cls(
            file=row.file,
            line=row.line,
            path=row.path,
            message=row.sentence,
            hint=row.hint or None,
        )


@strawberry.type(description="What was given has mistakes; all of them are named.")
class MistakesFault(Fault):
    mistakes: list[Mistake] = strawberry.field(
        directives=[cost.sized(50)], description="The mistakes, in the file's order."
    )

    @classmethod
    def of(cls, error: errors.MistakesError) -> MistakesFault:
        return cls(
            code=errors.BadInputError.code,
            message=f"This has mistakes: {len(error.mistakes)}.",
            hint="Mend them all, then send it again.",
            mistakes=[Mistake.of(one) for one in error.mistakes],
        )
