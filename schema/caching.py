"""What answers may be kept: the mark on types and fields that say the same to everybody."""

from __future__ import annotations

import enum

import strawberry
from strawberry.schema_directive import Location


@strawberry.enum(name="CacheControlScope", description="Who may be given an answer that is kept.")
class Scope(enum.Enum):
    PUBLIC = strawberry.enum_value("PUBLIC", description="Whoever asks the same.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="Whoever asked, and nobody else.")


@strawberry.schema_directive(
    name="cacheControl",
    description=(
        "How long an answer may be kept, and by whom it may be shared. On a type it is meant for "
        "every field that says nothing else; what says nothing at all is private, and not kept."
    ),
    locations=[Location.FIELD_DEFINITION, Location.INTERFACE, Location.OBJECT],
)
class CacheControl:
    max_age: int = strawberry.directive_field(name="maxAge")
    scope: Scope = strawberry.directive_field(name="scope")


#: For what is the same for everybody until the menu or a partner's file is another.
PUBLIC = CacheControl(max_age=60, scope=Scope.PUBLIC)
#: For what depends on who asks, beside fields that do not.
PRIVATE = CacheControl(max_age=0, scope=Scope.PRIVATE)
#: For what depends on who asks, and says the same to all who show nobody, while partners' answers
#: hold.
OPEN = CacheControl(max_age=0, scope=Scope.PRIVATE)
