"""GraphQL over HTTP: what a request must be, and what status and media type its answer has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from models import errors
from schema.execution import ide, negotiation, problems
from schema.execution.code import Code
from schema.execution.schema import Schema

_METHODS = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
_ACTING = frozenset({OperationType.MUTATION})
# Answers differ by who asks, in which language and type, and may show a person.
_HEADERS = {
    "cache-control": "private, no-store",
    "vary": "accept, accept-language, authorization",
    "x-content-type-options": "nosniff",
}
_CLOSE = {"connection": "close"}
#: By what a request may show who sends it.
CHALLENGE = 'Bearer, DPoP algs="ES256"'
#: How a plan of the query is asked for: alone, or with the answer.
PLAN_HEADER = "x-greenway-plan"
_PLANS = ("only", "with")


class RefusedError(Exception):
    """A request that is answered without running anything."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers
        self.error = {
            "message": sentence,
            "extensions": {"code": code, **({"hint": hint} if hint else {})},
        }

    def response(self, media: str) -> Response:
        """Return the answer that says so."""
        return _json({"errors": [self.error]}, self.status, media, self.headers)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for, its shape checked."""

    query: str
    variables: dict[str, Any] | None
    name: str | None
    extensions: dict[str, Any] | None

    @classmethod
    def of(cls, parameters: object) -> Operation:
        """Return the operation that decoded parameters describe, or refuse them."""
        if isinstance(parameters, list):
            raise RefusedError(
                400, Code.BATCHING_NOT_SUPPORTED, "Send one operation in each request."
            )
        if not isinstance(parameters, dict):
            raise _bad_request("The request must be a JSON object.")
        query = parameters.get("query")
        if not isinstance(query, str) or not query:
            raise _bad_request("`query` must be the text of a GraphQL document.")
        variables, extensions = parameters.get("variables"), parameters.get("extensions")
        for name, value in (("variables", variables), ("extensions", extensions)):
            if not isinstance(value, dict | None):
                raise _bad_request(f"`{name}` must be a JSON object.")
        operation_name = parameters.get("operationName")
        if not isinstance(operation_name, str | None):
            raise _bad_request("`operationName` must be a string.")
        return cls(query, variables, operation_name or None, extensions)


class GraphQLView:
    """The ASGI application behind one path: queries by GET, queries and mutations by POST.

    ``context`` builds the value that resolvers see, of the request, of how a plan of its query
    is asked for (``only``, ``with`` or not at all) and of its body; a ``GreenwayError``
    it raises (a token that does not hold) refuses the request. There are no uploads, batches or
    sockets, and a POST that a foreign page could send without asking the browser's leave is
    refused by its media type.
    """

    def __init__(
        self,
        schema: Schema,
        context: Callable[[Request, str | None, bytes], Awaitable[object]],
        *,
        page: bool = True,
        assets: Path = ide.ASSETS,
    ) -> None:
        self._schema = schema
        self._context = context
        self._page = page
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        media = negotiation.preferred(request.headers.get("accept"), self._offered(request))
        try:
            response = await self._answered(request, media)
        except ClientDisconnect:
            return
        except RefusedError as refused:
            response = refused.response(media or negotiation.JSON)
        except Exception as error:  # noqa: BLE001 - the last place where it can be told safely
            content = {"errors": [problems.masked(error).formatted]}
            response = _json(content, 500, media or negotiation.JSON)
        response.headers.update(_HEADERS)
        await response(scope, receive, send)

    def _offered(self, request: Request) -> list[str]:
        page = self._page and request.method == "GET" and "query" not in request.query_params
        return [negotiation.RESPONSE, negotiation.JSON, *([negotiation.HTML] if page else [])]

    async def _answered(self, request: Request, media: str | None) -> Response:
        if request.method not in _METHODS:
            raise _method_not_allowed("Ask by GET or by POST.", "GET, POST")
        if media is None:
            raise RefusedError(
                406, Code.NOT_ACCEPTABLE, f"Accept {' or '.join(self._offered(request))}."
            )
        if media == negotiation.HTML:
            return ide.page(self._assets)
        return _response(await self._result(request), media)

    async def _result(self, request: Request) -> ExecutionResult:
        body = b"" if request.method == "GET" else await self._body(request)
        operation = Operation.of(
            _query_parameters(request)
            if request.method == "GET"
            else _decoded(body, "The request body")
        )
        plan = _plan(request, operation)
        allowed = _METHODS[request.method] - (_ACTING if plan == "only" else frozenset())
        try:
            return await self._schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=await self._context(request, plan, body),
                operation_name=operation.name,
                allowed_operation_types=allowed,
                operation_extensions=operation.extensions,
            )
        except InvalidOperationTypeError as error:
            if error.operation_type in _METHODS[request.method]:
                raise _bad_request("A plan alone is made of queries: a mutation acts.") from None
            if error.operation_type is OperationType.MUTATION:
                raise _method_not_allowed("A mutation is sent by POST.", "POST") from None
            raise RefusedError(
                400, Code.OPERATION_TYPE_NOT_ALLOWED, "Subscriptions are not offered here."
            ) from None
        except errors.UnauthenticatedError as error:
            raise RefusedError(
                401, error.code, error.sentence, {"www-authenticate": CHALLENGE}, error.hint
            ) from None
        except errors.GreenwayError as error:
            status = 400 if isinstance(error, errors.AskerError) else 503
            raise RefusedError(status, error.code, error.sentence, hint=error.hint) from None

    async def _body(self, request: Request) -> bytes:
        media, parameters = negotiation.media_type(request.headers.get("content-type"))
        if media != negotiation.JSON or parameters.get("charset", "utf-8") != "utf-8":
            raise RefusedError(
                415,
                Code.UNSUPPORTED_MEDIA_TYPE,
                "Send `content-type: application/json`, in UTF-8.",
                {"accept": negotiation.JSON},
            )
        try:
            async with asyncio.timeout(self._schema.bounds.seconds):
                return await self._bytes(request)
        except TimeoutError:
            # The rest of the body may still come: this connection cannot carry another request.
            raise RefusedError(
                408, Code.BODY_TOO_SLOW, "The request body came too slowly.", _CLOSE
            ) from None

    async def _bytes(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._schema.bounds.body_bytes:
                raise RefusedError(
                    413,
                    Code.BODY_TOO_LARGE,
                    f"A request body has at most {self._schema.bounds.body_bytes} bytes.",
                    _CLOSE,
                )
        return bytes(body)


def _plan(request: Request, operation: Operation) -> str | None:
    """Return how a plan is asked for: by the operation's extensions, or by a header."""
    asked = (operation.extensions or {}).get("plan", request.headers.get(PLAN_HEADER))
    if asked is not None and asked not in _PLANS:
        raise _bad_request(f"`plan` must be {' or '.join(f'`{one}`' for one in _PLANS)}.")
    return asked


def _query_parameters(request: Request) -> dict[str, object]:
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := request.query_params.get(name):
            parameters[name] = _decoded(text, f"`{name}`")
        else:
            parameters.pop(name, None)
    return parameters


def _decoded(text: str | bytes, what: str) -> object:
    # orjson refuses what is not UTF-8 or nested too deeply as it refuses any other bad JSON.
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _bad_request(f"{what} is not JSON in UTF-8.") from None


def _response(result: ExecutionResult, media: str) -> Response:
    """Return the answer; what failed before a field was run has no data and says so by status.

    The older media type answers 200 to a document that does not hold, as its clients expect.
    """
    found = [error.formatted for error in result.errors or ()]
    began = bool(result.extensions) or any(_began(error) for error in found)
    refused = result.data is None and not began
    content: dict[str, object] = {} if refused else {"data": result.data}
    if found:
        content["errors"] = found
    if result.extensions:
        content["extensions"] = result.extensions
    return _json(content, 400 if refused and media == negotiation.RESPONSE else 200, media)


def _began(error: Mapping[str, Any]) -> bool:
    """Say whether an error tells of an operation that had begun: a path, or its time was over."""
    return "path" in error or error["extensions"]["code"] == Code.OPERATION_TIMEOUT


def _json(
    content: object, status: int, media: str, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(content),
        status,
        {**(headers or {}), "content-type": f"{media}; charset=utf-8"},
    )


def _bad_request(sentence: str) -> RefusedError:
    return RefusedError(400, Code.BAD_REQUEST, sentence)


def _method_not_allowed(sentence: str, allowed: str) -> RefusedError:
    return RefusedError(405, Code.METHOD_NOT_ALLOWED, sentence, {"allow": allowed})
