"""Things that can be looked up again by an id of the whole graph (Relay's Node)."""

from __future__ import annotations

import strawberry

from schema.caching import PUBLIC


@strawberry.interface(description="Something with an id of the whole graph.", directives=[PUBLIC])
class Node:
    id: strawberry.ID = strawberry.field(description="Its id in the whole graph; opaque.")


def global_id(kind: str, key: str) -> strawberry.ID:
    """Return the id of a thing of a kind."""
    return strawberry.ID(f"{kind}:{key}")


def key_in(id: str, kind: str) -> str:
    """Return the key in an id of this kind; empty, which is no key, in any other."""
    found, _, key = id.partition(":")
    return key if found == kind else ""


@strawberry.federation.type(
    shareable=True, description="Where a page of a connection stands.", directives=[PUBLIC]
)
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether a page came before: whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge: give it as `after` for the next page."
    )

    @classmethod
    def of(cls, cursors: tuple[str, ...], *, has_next: bool, after: str | None) -> PageInfo:
        return cls(
            has_next_page=has_next,
            has_previous_page=after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )
