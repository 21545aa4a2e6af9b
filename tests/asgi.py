"""Asks an ASGI application: in process, one request and one whole answer, or over loopback."""

import asyncio
import json
from collections.abc import AsyncIterable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import uvicorn


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def codes(self):
        return [error["extensions"]["code"] for error in self.json().get("errors", [])]


async def call(app, method="GET", *, path="/graphql", query=None, headers=(), body=b""):
    """Send one request; ``body`` is bytes, or chunks of bytes that are sent as they come."""
    chunks = _chunks([body] if isinstance(body, bytes) else body)
    sent = []

    async def receive():
        try:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(_scope(method, path, query, dict(headers)), receive, send)
    start, *rest = sent
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in rest),
    )


async def ask(app, document, variables=None, *, path="/graphql", headers=(), **parameters):
    """POST one GraphQL operation as JSON."""
    return await call(
        app,
        "POST",
        path=path,
        headers={
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            **dict(headers),
        },
        body=json.dumps({"query": document, "variables": variables, **parameters}).encode(),
    )


def _scope(method, path, query, headers):
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(query or {}).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def _chunks(body: Iterable[bytes] | AsyncIterable[bytes]):
    if isinstance(body, AsyncIterable):
        async for chunk in body:
            yield chunk
    else:
        for chunk in body:
            yield chunk


@asynccontextmanager
async def alive(app):
    """Keep the application alive, as a server does between its start and its end."""
    told, heard = asyncio.Queue(), asyncio.Queue()
    await told.put({"type": "lifespan.startup"})
    living = asyncio.create_task(app({"type": "lifespan", "state": {}}, told.get, heard.put))
    assert (await heard.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await living


@asynccontextmanager
async def served(app, port=0, http="auto", ws="auto"):
    """Serve the application over loopback, at this port or any, and give its address.

    ``http`` is what speaks on a connection, ``ws`` on a socket, as uvicorn takes them.
    """
    config = uvicorn.Config(
        *(app, "127.0.0.1", port), http=http, ws=ws, log_level="warning", server_header=False
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running
