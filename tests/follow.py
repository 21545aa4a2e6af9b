"""A small schema to be followed, and a client that talks to its socket in this process."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from types import SimpleNamespace

import strawberry
from strawberry.schema.config import StrawberryConfig

from models import errors
from schema import execution

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init"}


@dataclass
class Source:
    """What may be followed: a number, told each time it was set."""

    value: int = 0
    followed: int = 0
    begun: int = 0
    acted: int = 0
    failure: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def numbers(self, to):
        self.followed += 1
        try:
            for self.value in range(to):
                yield
        finally:
            self.followed -= 1

    async def set(self):
        self.followed += 1
        try:
            while True:
                yield
                await self.go.wait()
                self.go.clear()
                if self.failure:
                    raise self.failure
        finally:
            self.followed -= 1

    def tell(self, value):
        self.value = value
        self.go.set()


@strawberry.type
class Item:
    name: str

    @strawberry.field
    async def late(self) -> str:
        await asyncio.sleep(0.01)
        return f"late {self.name}"

    @strawberry.field
    async def broken(self) -> str | None:
        raise RuntimeError("postgresql://secret@db/greenway")

    @strawberry.field
    async def guarded(self) -> str:
        if self.name != "lamp":
            raise errors.ForbiddenError(["a king"])
        return self.name

    @strawberry.field
    def pieces(self) -> list[str]:
        return [f"{self.name} {n}" for n in range(4)]


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}."

    @strawberry.field
    def numbers(self, info: strawberry.Info, to: int) -> int:  # noqa: ARG002 - as followed
        return info.context.source.value

    @strawberry.field
    def value(self, info: strawberry.Info) -> int | None:
        return info.context.source.value

    @strawberry.field
    def refused(self) -> int | None:
        return 1

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str:
        info.context.source.followed += 1
        try:
            await asyncio.sleep(60)
        finally:
            info.context.source.followed -= 1
        return "late"

    @strawberry.field
    def item(self) -> Item:
        return Item(name="lamp")

    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(name=name) for name in ("lamp", "bicycle", "bell")]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def act(self, info: strawberry.Info) -> int:
        info.context.source.begun += 1
        await asyncio.sleep(0.05)
        info.context.source.acted += 1
        return info.context.source.acted


@strawberry.type
class Subscription:
    @strawberry.subscription
    def numbers(self, source: strawberry.Parent[Source], to: int) -> AsyncGenerator[int, None]:
        return source.numbers(to)

    @strawberry.subscription
    def value(self, source: strawberry.Parent[Source]) -> AsyncGenerator[int | None, None]:
        return source.set()

    @strawberry.subscription
    def refused(self) -> AsyncGenerator[int | None, None]:
        raise errors.ForbiddenError(["a king"])


def schema(**bounds):
    """The small schema, within these bounds."""
    return execution.Schema(
        Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(enable_experimental_incremental_execution=True),
        bounds=execution.Limits(**bounds),
    )


def live(source, leaving=None, **bounds):
    """What answers over the small schema."""
    return execution.Live(schema(**bounds), source, leaving)


def context(source):
    """What resolvers of the small schema see."""
    return SimpleNamespace(problems=[], source=source)


def plain(answer):
    """An answer without what it cost."""
    if isinstance(answer, dict) and answer.get("extensions", {}).keys() == {"cost"}:
        del answer["extensions"]
    return answer


class Socket:
    """A client's end of a socket."""

    def __init__(self, app, *, protocols=(PROTOCOL,), client="192.0.2.1", **headers):
        self.scope = {
            "type": "websocket",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": b"",
            "scheme": "ws",
            "headers": [
                (name.encode(), value.encode())
                for name, value in {"host": "hub.example", **headers}.items()
            ],
            "client": (client, 1),
            "server": ("hub.example", 80),
            "subprotocols": list(protocols),
            "state": {},
        }
        self._app = app
        self._sent = asyncio.Queue()
        self._said = asyncio.Queue()

    async def __aenter__(self):
        self._sent.put_nowait({"type": "websocket.connect"})
        self._running = asyncio.create_task(self._app(self.scope, self._sent.get, self._hear))
        return self

    async def __aexit__(self, *_):
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(5):
            await self._running

    async def _hear(self, message):
        self._said.put_nowait(message)

    def say(self, message):
        """Send a message: JSON, or text as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._sent.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self, data):
        self._sent.put_nowait({"type": "websocket.receive", "bytes": data})

    @property
    def waiting(self):
        """How many messages have not been heard."""
        return self._said.qsize()

    async def hear(self):
        """What comes next: a message, or the code that the socket was closed with."""
        async with asyncio.timeout(5):
            message = await self._said.get()
        if message["type"] == "websocket.accept":
            return await self.hear()
        if message["type"] == "websocket.close":
            return message["code"]
        said = json.loads(message["text"])
        return {**said, "payload": plain(said["payload"])} if "payload" in said else said

    async def begin(self, **payload):
        self.say({**INIT, "payload": payload} if payload else INIT)
        return await self.hear()

    def ask(self, document, id_="1", **payload):
        self.say({"type": "subscribe", "id": id_, "payload": {"query": document, **payload}})

    async def answers(self, document, **payload):
        """All messages of an operation, its end included."""
        self.ask(document, **payload)
        found = [await self.hear()]
        while found[-1]["type"] == "next":
            found.append(await self.hear())
        return found


async def until(question, seconds=5.0):
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not question():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
