"""What is said: the GraphQL schema, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import cache
from pathlib import Path

from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import HasGraphQLName, NameConverter

from resolvers import access as accesses  # `schema.access` is a module of its own
from resolvers.context import Context
from resolvers.measure import Measures
from schema import execution, mutation, offer, query, scalars, subscription, talent


class _Names(NameConverter):
    """Strawberry's names, each worked out once: it asks for them again with every argument."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, tuple[object, str]] = {}

    def get_graphql_name(self, obj: HasGraphQLName) -> str:
        """Return how something is called in the graph."""
        found = self._known.get(id(obj))
        if found is None:
            # It is kept with its name, so that its identity is nobody else's.
            found = self._known[id(obj)] = obj, super().get_graphql_name(obj)
        return found[1]


#: Where the contract is kept.
SDL = Path(__file__).with_name("schema.graphql")


def build_schema(
    limits: execution.Limits | None = None,
    *,
    introspection: bool = True,
    measures: Measures | None = None,
    traces: bool = False,
) -> execution.Schema:
    """Return the hub's schema; the same whatever is on the menu and whoever the partners are.

    What it runs is counted in ``measures``; with ``traces``, gateways are told of its times.
    """
    return _built().over(limits, introspection=introspection, measures=measures, traces=traces)


def sdl() -> str:
    """Return the contract in SDL, sorted, so that its diff shows what changed and nothing else.

    A sorted schema only prints: its types are copies, in which unions do not know their members.
    """
    return _built(sort=True).as_str() + "\n"


@cache
def _built(*, sort: bool = False) -> execution.Schema:
    """Return the schema, made once: what it says depends on nothing."""
    return execution.Schema(
        query=query.Query,
        mutation=mutation.Mutation,
        subscription=subscription.Subscription,
        types=[*offer.TYPES.values(), talent.Talent],
        config=StrawberryConfig(
            name_converter=_Names(),
            scalar_map=dict(scalars.SCALARS),
            sort_schema=sort,
            enable_experimental_incremental_execution=True,
        ),
        before=query.before,
        after=_over,
    )


def _over(context: Context) -> Awaitable[None] | None:
    """Give up what partners are still asked for a query that is over, and write its notes down."""
    if "desk" in vars(context):
        context.desk.leave()
    return accesses.kept(context) if context.notes else None
