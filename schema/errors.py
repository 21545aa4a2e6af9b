"""Faults: what a lookup or a mutation answers instead of the thing, as data."""

from __future__ import annotations

import strawberry

from models import errors


@strawberry.interface(description="An expected failure, as data: what is wrong, and what to do.")
class Fault:
    code: str = strawberry.field(description="One word of the list in docs/querying.md.")
    message: str = strawberry.field(description="What is wrong, in a sentence to show.")
    hint: str | None = strawberry.field(description="What to do about it, where that is known.")


@strawberry.type(description="No list has this code.")
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
