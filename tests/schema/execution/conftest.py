"""A small schema with one of everything that can go wrong, and the view in front of it."""

import asyncio
import datetime
import enum
import time
from types import SimpleNamespace

import pytest
import strawberry
from strawberry import relay
from strawberry.schema.config import StrawberryConfig

from models import errors
from schema import cost, execution


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@strawberry.input
class Filter:
    colour: Colour | None = None


@strawberry.type
class Item(relay.Node):
    code: relay.NodeID[str]

    @strawberry.field
    def items(self) -> list["Item"]:
        return [Item(code=f"{self.code}.{n}") for n in range(5)]

    @strawberry.field
    def name(self) -> str:
        return f"name of {self.code}"

    @strawberry.field
    def broken(self, info: strawberry.Info) -> str | None:
        raise info.context.failure


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world", wanted: Filter | None = None) -> str:  # noqa: ARG002 - the schema needs it
        return f"Hello, {name}."

    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(code=str(n)) for n in range(5)]

    @strawberry.field(directives=[cost.JUDGED])
    def heavy(self, info: strawberry.Info) -> int:
        time.sleep(0.01)
        info.context.counted += 1
        return info.context.counted

    @relay.connection(relay.ListConnection[Item])
    def page(self) -> list[Item]:
        return []

    @strawberry.field
    def item(self, code: str) -> Item | None:
        raise errors.UnknownCodeError("item", code, ["bicycle", "lamp"])

    @strawberry.field
    def weekday(self, day: datetime.date) -> int:
        return day.weekday()

    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(60)
        return "late"

    @strawberry.field
    async def partner(self, info: strawberry.Info) -> str | None:
        info.context.problems.append(
            SimpleNamespace(
                path=["partner"],
                code="PARTNER_TIMEOUT",
                message="First Bank did not answer in time.",
                extensions={"partner": "first-bank"},
            )
        )
        return "cached"

    @strawberry.field
    def broken(self) -> str | None:
        raise IndexError("list index out of range at /srv/secret.py")

    @strawberry.field
    def misfit(self) -> int | None:
        return "SELECT secret"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def count(self, info: strawberry.Info) -> int:
        info.context.counted += 1
        return info.context.counted


@pytest.fixture
def context():
    return SimpleNamespace(
        problems=[], counted=0, failure=RuntimeError("postgresql://secret@db/greenway")
    )


@pytest.fixture
def schema_of():
    def build(*, introspection=True, after=None, **bounds):
        return execution.Schema(
            Query,
            mutation=Mutation,
            config=StrawberryConfig(enable_experimental_incremental_execution=True),
            bounds=execution.Limits(**bounds),
            introspection=introspection,
            after=after,
        )

    return build


@pytest.fixture
def app_of(schema_of, context):
    """Build the view with the limits given."""

    def build(**bounds):
        async def of_request(scope, plan, body):
            return context

        return execution.GraphQLView(schema_of(**bounds), of_request)

    return build


@pytest.fixture
def app(app_of):
    return app_of()
