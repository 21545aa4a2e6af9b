"""Answers that are ready: by Starlette at /graphql, /W1 and /W3, bare at /raw/W1 and /raw/W3."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

BODY = {one: Path(os.environ["PEERS_STATIC"], f"{one}.json").read_bytes() for one in ("W1", "W3")}
BODY["graphql"] = BODY["W1"]
HEAD = {
    one: [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    for one, body in BODY.items()
}


async def answer(request):
    await request.body()
    return Response(BODY[request.path_params["one"]], media_type="application/json")


star = Starlette(routes=[Route("/{one}", answer, methods=["POST"])])


async def app(scope, receive, send):
    if scope["type"] != "http" or not scope["path"].startswith("/raw/"):
        await star(scope, receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    one = scope["path"].removeprefix("/raw/")
    await send({"type": "http.response.start", "status": 200, "headers": HEAD[one]})
    await send({"type": "http.response.body", "body": BODY[one]})
