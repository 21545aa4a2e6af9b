"""All that may be followed: fields of Query, whose answer is sent again whenever it is another.

A field here says when to look again, and nothing else: what is answered is what Query answers,
to the same arguments and under the same rights.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry

from resolvers.feed import Feeds
from schema.access import Prompt
from schema.booking import Booking
from schema.connector import Connector
from schema.decision import Decision
from schema.edition import MenuEdition
from schema.info import Info
from schema.permissions import holders


@strawberry.type(
    description=(
        "All that may be followed: each field is one of Query, answered at once as there, and "
        "again whenever what was asked for is otherwise."
    )
)
class Subscription:
    @strawberry.subscription(description="The menu that is in force.")
    def edition(self, feeds: strawberry.Parent[Feeds]) -> AsyncGenerator[MenuEdition, None]:
        return feeds.edition.follow(None)

    @strawberry.subscription(
        description=(
            "The line to each partner, set-aside ones included, by code: told when its file, its "
            "state or its breaker is another, never for a count alone."
        )
    )
    def connectors(self, feeds: strawberry.Parent[Feeds]) -> AsyncGenerator[list[Connector], None]:
        return feeds.connectors.follow(None)

    @strawberry.subscription(
        description="What the person asking asked for, the newest first; at most 100. Holders.",
        extensions=[holders()],
    )
    def decisions(
        self, info: Info, feeds: strawberry.Parent[Feeds]
    ) -> AsyncGenerator[list[Decision] | None, None]:
        return feeds.decisions.follow(_person(info))

    @strawberry.subscription(
        description="What the person asking booked, the newest first; at most 100. Holders.",
        extensions=[holders()],
    )
    def bookings(
        self, info: Info, feeds: strawberry.Parent[Feeds]
    ) -> AsyncGenerator[list[Booking] | None, None]:
        return feeds.bookings.follow(_person(info))

    @strawberry.subscription(
        description="The checks that wait for the person asking, the oldest first. Holders.",
        extensions=[holders()],
    )
    def prompts(
        self, info: Info, feeds: strawberry.Parent[Feeds]
    ) -> AsyncGenerator[list[Prompt] | None, None]:
        return feeds.prompts.follow(info.context.viewer.subject)


def _person(info: Info) -> int:
    # Somebody whom the database does not know has nothing there, as the person without an id.
    return info.context.person.id if info.context.person else 0
