"""GraphQL over HTTP: what a request must be, and what status and media type its answer has."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from models import errors
from resolvers.viewer import OPERATORS
from schema.execution import ide, limits, negotiation, packing, problems
from schema.execution.answer import (
    Answer,
    Answered,
    Answers,
    Headers,
    Surroundings,
    etag,
    headers,
)
from schema.execution.code import Code
from schema.execution.departure import GoneError, WhileThere
from schema.execution.documents import Client, Documents
from schema.execution.patience import bounded
from schema.execution.schema import NO_PLAN, PLANS, UNPLANNED, Asked, Known, Outcome, Schema
from schema.execution.seat import FullError
from schema.execution.sent import WHOLE, Said, Sent
from schema.execution.stream import Streams

_METHODS = {
    "GET": (OperationType.QUERY,),
    "POST": (OperationType.QUERY, OperationType.MUTATION),
}
_DRY = _METHODS["GET"]
# Answers differ by who asks, in which language and type, and may show a person.
_PRIVATE = headers({"cache-control": "private, no-store"})
_ALWAYS = headers({"vary": "accept, accept-encoding, accept-language, authorization"})
_CLOSE = {"connection": "close"}
_RETRY_SECONDS = 5
#: By what a request may show who sends it.
CHALLENGE = 'Bearer, DPoP algs="ES256"'
#: So many bodies of so many bytes are known again: what one says takes 64 KB at most.
_MOST_KNOWN, _LONGEST_KNOWN = 128, 2_048

#: A tag as others show it (RFC 9110, section 8.8.3), and how those of one answer may end.
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_ENDS = ("", *(f"-{one}" for one in packing.CODINGS))

#: Data beside errors, in that draft.
_PARTIAL_SUCCESS = 294
# A member of an enumeration is found slowly, and this is asked for by every request.
_OK = HTTPStatus.OK
#: What the parameters of a request are.
_SHAPES: dict[str, tuple[type, str]] = {
    "query": (str, "the text of a GraphQL document"),
    "variables": (dict, "a JSON object"),
    "operationName": (str, "a string"),
    "extensions": (dict, "a JSON object"),
    "documentId": (str, "a string"),
}


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
        self.headers = headers or {}
        self.error = {
            "message": sentence,
            "extensions": {"code": code, **({"hint": hint} if hint else {})},
        }

    def answer(self, media: str) -> Answer:
        """Return the answer that says so."""
        more = headers(self.headers) + _PRIVATE
        return Answer.of(self.status, media, {"errors": [self.error]}, *more)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for, its shape checked."""

    query: str
    variables: dict[str, Any] | None
    name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None
    #: What it came to, where the same bytes may be sent again.
    known: Known | None = field(default=None, compare=False)

    @classmethod
    def of(cls, parameters: object, known: Known | None = None) -> Operation:
        """Return the operation that decoded parameters describe, or refuse them."""
        if isinstance(parameters, list):
            raise RefusedError(
                400, Code.BATCHING_NOT_SUPPORTED, "Send one operation in each request."
            )
        if not isinstance(parameters, dict):
            raise _bad_request("The request must be a JSON object.")
        for name, value in parameters.items():
            kind, what = _SHAPES.get(name, (object, ""))
            if value is not None and not isinstance(value, kind):
                raise _bad_request(f"`{name}` must be {what}.")
        query, variables, name, extensions, document_id = map(parameters.get, _SHAPES)
        if not (query or document_id or extensions):
            raise _bad_request("`query` must be the text of a GraphQL document.")
        return cls(query or "", variables, name or None, extensions, document_id, known)


class GraphQLView:
    """The ASGI application behind one path: queries by GET, queries and mutations by POST.

    There are no uploads or batches, and a POST that a foreign page could send without asking the
    browser's leave is refused by its media type.

    Args:
        schema: What is asked.
        context: Returns what resolvers see, of a request's scope, of how a plan of its query is
            asked for (``only``, ``with`` or not at all) and of its body; a ``GreenwayError`` that
            it raises (a token that does not hold) refuses the request.
        around: What answers are kept for.
        documents: Finds documents by their hash.
        page: Where the editor is that a browser is given, if it is.
        streams: Answers what is answered in parts.
        said: What every answer has for headers, beside those that it has anyway.
        past: And those that are sent past what stands around the view.
    """

    def __init__(
        self,
        schema: Schema,
        context: Callable[[Scope, str | None, bytes], Awaitable[Any]],
        *,
        around: Surroundings | None = None,
        documents: Documents | None = None,
        page: Path | None = ide.ASSETS,
        streams: Streams | None = None,
        said: Headers = (),
        past: Headers = (),
    ) -> None:
        self._schema = schema
        self._context = context
        self._around = around or Surroundings()
        self._documents = documents
        self._page = page
        self._has_page = bool(page)
        self._streams = streams
        self._said = _ALWAYS + said
        self._past = self._said + past
        self._answers = Answers(self._around)
        self._known: dict[bytes, Operation] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sent = Sent(scope, receive, has_page=self._has_page)
        media = sent.said.media or negotiation.JSON
        try:
            answer = await self._answer(sent, send)
            if answer is None:
                return
        except (ClientDisconnect, GoneError):
            return
        except RefusedError as refused:
            answer = refused.answer(media)
        except Exception as error:  # noqa: BLE001 - the last place where it can be told safely
            content = {"errors": [problems.masked(error).formatted]}
            answer = Answer.of(500, media, content, *_PRIVATE)
        if sent.is_whole and not sent.said.has_origin and answer.status == _OK:
            head, body = answer.head(self._past), answer.body
            await send({"type": WHOLE, "status": answer.status, "head": head, "body": body})
            return
        start = {"status": answer.status, "headers": answer.told(self._said)}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": answer.body})

    def instant(self, scope: Scope, body: bytes) -> tuple[int, bytes, bytes] | None:
        """Return the answer that was kept to a whole request: its status, head and body.

        None where there is none, or where more must be known to give it.
        """
        edition = self._around.edition()
        if edition is None:
            return None
        sent = Sent(scope, _unheard, has_page=self._has_page)
        sent.body, said = body, sent.said
        is_usual = said.may_be_kept and not said.has_origin and said.method in _METHODS
        if not is_usual or (said.method == "POST" and (said.is_packed or not said.is_json)):
            return None
        try:
            answer = self._kept(sent, edition)
        except errors.RateLimitedError:
            return None
        if answer is None:
            return None
        return answer.status, answer.head(self._past), answer.body

    async def _answer(self, sent: Sent, send: Send) -> Answer | None:
        said = sent.said
        self._admit(said)
        if said.media == negotiation.HTML:
            return ide.page(self._page or ide.ASSETS).packed(said.coding)
        if said.method == "POST":
            if sent.is_whole:
                self._check(len(sent.body))
            else:
                sent.body = await self._read(sent)
        edition = self._around.edition() if said.may_be_kept else None
        try:
            return self._kept(sent, edition) or await self._asked(sent, edition, send)
        except InvalidOperationTypeError as error:
            raise _not_allowed(error.operation_type, said) from None
        except FullError:
            raise RefusedError(
                503,
                Code.TOO_MANY_STREAMS,
                "There are too many streams; try again later.",
                {"retry-after": str(_RETRY_SECONDS)},
            ) from None
        except errors.GreenwayError as error:
            if isinstance(error, errors.RateLimitedError):
                self._schema.measures.limited["points"] += 1
            raise _refused(error, said.media) from None

    def _kept(self, sent: Sent, edition: object | None) -> Answer | None:
        """Return the answer that was kept for whoever sends the same bytes and shows nobody."""
        if edition is None or not sent.said.is_nobodys:
            return None
        kept = self._answers.get(edition, sent.raw())
        if kept is None:
            return None
        self._around.charge(sent.address, max(kept.points, limits.BASE))
        return self._told(kept, sent.said)

    async def _asked(self, sent: Sent, edition: object | None, send: Send) -> Answer | None:
        said = sent.said
        operation, plan = self._wanted(sent)
        context = await self._context(sent.scope, plan, sent.body)
        text, is_plain = operation.query, True
        if self._documents is not None and self._documents.concern(
            text, operation.document_id, operation.extensions
        ):
            text, is_plain = await self._found(self._documents, operation, sent, context), False
        asked = Asked(
            text,
            operation.variables or {},
            operation.name,
            _DRY if plan == "only" else _METHODS[said.method],
            partial(WhileThere, sent.departure()),
            as_text=True,
            traceparent=said.traceparent,
            is_traced=said.is_traced,
            known=operation.known,
        )
        if plan is not None:
            edition = None
        elif self._streams and said.wants_parts:
            asked = await self._streams.live.read(asked, context)
            way = self._streams.way(sent.request(), asked)
            if way is not None:
                surroundings = partial(self._context, sent.scope, None, sent.body)
                asked = asked._replace(while_there=None, as_text=False)
                begin = partial(self._streams.live.begun, asked, context, surroundings)
                await self._streams.respond(way, begin, sent.request(), send, self._said)
                return None
        if edition is not None and self._schema.is_public(text, operation.name):
            kept = self._answers.get(edition, _meant(said, asked, context))
            if kept is not None:
                context.charge(max(kept.points, limits.BASE))
                return self._told(kept, said)
        outcome = await self._schema.run(asked, context)
        # A cache between knows nothing of plans and faults.
        is_public = outcome.policy.public and plan is None and not said.has_fault
        answer = self._answer_to(outcome, said, is_public=is_public).packed(said.coding)
        if edition is not None:
            self._keep(edition, sent, asked, outcome, answer, context, is_plain=is_plain)
        return _unless_known(answer, said)

    def _wanted(self, sent: Sent) -> tuple[Operation, str | None]:
        """Return what a request asks for, and how a plan of it; one that cannot be read costs."""
        try:
            operation = self._operation(sent)
            return operation, _plan(sent.said, operation)
        except RefusedError:
            self._around.charge(sent.address, limits.REFUSED)
            raise

    def _operation(self, sent: Sent) -> Operation:
        """Return what a request asks for. What is sent again, as it was, is not read again."""
        if sent.said.method == "GET":
            return Operation.of(_query_parameters(sent.request()))
        body = sent.body
        found = self._known.pop(body, None)
        if found is None:
            decoded = _decoded(body, "The request body")
            if len(body) > _LONGEST_KNOWN:
                return Operation.of(decoded)
            found = Operation.of(decoded, Known())
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        # The last used is the last to go.
        self._known[body] = found
        return found

    def _keep(
        self,
        edition: object,
        sent: Sent,
        asked: Asked,
        outcome: Outcome,
        answer: Answer,
        context: Any,  # noqa: ANN401 - as resolvers see it
        *,
        is_plain: bool,
    ) -> None:
        """Keep an answer that others are told as well, for as long as it holds."""
        if outcome.result.errors or not outcome.is_shared(context):
            return
        if edition is not self._around.edition():
            return
        is_public = outcome.policy.public
        keys: dict[Hashable, int] = {}
        holding = context.holding
        if is_public:
            # By GET it says how long it holds.
            holding = outcome.policy if sent.said.method == "GET" else None
            keys[_meant(sent.said, asked, context)] = len(asked.text) + len(sent.body)
        if is_plain and sent.said.is_nobodys:
            keys[sent.raw()] = len(sent.body)
        self._answers.keep(edition, keys, Answered(answer, outcome.points, outcome.called, holding))
        self._schema.measures.cache_misses += 1

    async def _found(
        self,
        documents: Documents,
        operation: Operation,
        sent: Sent,
        context: Any,  # noqa: ANN401 - as resolvers see it
    ) -> str:
        """Return the text that a request means and may not have sent."""
        await documents.begun()
        return documents.resolved(
            operation.query,
            operation.document_id,
            operation.extensions,
            client=Client.of(sent.request().headers),
            explores=self._has_page and context.viewer.role in OPERATORS,
        )

    def _told(self, kept: Answered, said: Said) -> Answer:
        """Return an answer that was kept; it counts as the operation that it answers."""
        self._schema.measures.cache_hits += 1
        self._schema.measures.operation(
            "query", "OK", seconds=0.0, cost=kept.points, called=kept.called
        )
        return _unless_known(kept.answer, said)

    def _answer_to(self, outcome: Outcome, said: Said, *, is_public: bool) -> Answer:
        """Return the answer; what failed before a field was run has no data."""
        result, media = outcome.result, said.media or negotiation.JSON
        content: dict[str, object] = {"data": result.data} if outcome.began else {}
        status = _status(outcome, media)
        if result.errors:
            content["errors"] = [error.formatted for error in result.errors]
        if result.extensions:
            content["extensions"] = result.extensions
        if said.method != "GET" or result.errors or not is_public:
            return Answer.of(status, media, content, *_PRIVATE)
        answer = Answer.of(status, media, content)
        kept = {
            "cache-control": outcome.policy.header(self._around.clock()),
            "etag": etag(answer.body, media),
        }
        return replace(answer, headers=answer.headers + headers(kept))

    def _admit(self, said: Said) -> None:
        """Refuse what is answered whatever its body says."""
        if said.method not in _METHODS:
            raise _method_not_allowed("Ask by GET or by POST.", "GET, HEAD, POST")
        if said.media is None and not said.wants_parts:
            raise RefusedError(406, Code.NOT_ACCEPTABLE, f"Accept {' or '.join(said.offered)}.")
        if said.method == "GET":
            most = self._schema.bounds.body_bytes
            if len(said.query) > most:
                sentence = f"A query string has at most {most} bytes."
                raise RefusedError(414, Code.QUERY_TOO_LONG, sentence)
        elif said.is_packed:
            raise RefusedError(
                415,
                Code.UNSUPPORTED_MEDIA_TYPE,
                "Send the body as it is, not packed.",
                {"accept-encoding": "identity"},
            )
        elif not said.is_json:
            raise RefusedError(
                415,
                Code.UNSUPPORTED_MEDIA_TYPE,
                "Send `content-type: application/json`, in UTF-8.",
                {"accept": negotiation.JSON},
            )

    async def _read(self, sent: Sent) -> bytes:
        """Return the whole body of a request."""
        try:
            return await bounded(self._bytes(sent.receive), self._schema.patience)
        except TimeoutError:
            # The rest of the body may still come: this connection cannot carry another request.
            raise RefusedError(
                408, Code.BODY_TOO_SLOW, "The request body came too slowly.", _CLOSE
            ) from None

    async def _bytes(self, receive: Receive) -> bytes:
        body, goes_on = bytearray(), True
        while goes_on:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            goes_on = message.get("more_body", False)
            self._check(len(body))
        return bytes(body)

    def _check(self, size: int) -> None:
        most = self._schema.bounds.body_bytes
        if size > most:
            sentence = f"A request body has at most {most} bytes."
            raise RefusedError(413, Code.BODY_TOO_LARGE, sentence, _CLOSE)


def _meant(said: Said, asked: Asked, context: object) -> Hashable:
    """Return what the answer depends on that is the same for everybody: what is asked."""
    variables = limits.written(asked.variables)
    languages = tuple(getattr(context, "languages", ()))
    return said.method, asked.text, asked.name, variables, said.media, said.coding, languages


def _plan(said: Said, operation: Operation) -> str | None:
    """Return how a plan is asked for: by the operation's extensions, or by a header."""
    asked = said.plan
    if operation.extensions:
        asked = operation.extensions.get("plan", asked)
    if asked is not None and asked not in PLANS:
        raise _bad_request(NO_PLAN)
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


def _status(outcome: Outcome, media: str) -> int:
    """Return the status of an answer, as the draft of GraphQL over HTTP of August 2026 has it.

    The older media type answers 200 to whatever was read, as its clients expect.
    """
    if media != negotiation.RESPONSE or not outcome.result.errors:
        return _OK
    if outcome.began:
        return _PARTIAL_SUCCESS
    return HTTPStatus.UNPROCESSABLE_ENTITY if outcome.is_unprocessable else HTTPStatus.BAD_REQUEST


def _unless_known(answer: Answer, said: Said) -> Answer:
    """Return the answer, or that it is still the one which whoever asks has."""
    if said.tags is None or answer.status != _OK:
        return answer
    headed = dict(answer.headers)
    tag = headed.get(b"etag", b"").decode().strip('"')
    # However it was packed, it is the same answer.
    tags = (tag, *(f"{tag.partition('-')[0]}{end}" for end in _ENDS)) if tag else ()
    shown = _TAG.findall(said.tags) if said.tags.strip() != "*" else tags
    for one in shown:
        if one in tags:
            told = {"etag": f'"{one}"', "cache-control": headed[b"cache-control"].decode()}
            return Answer(HTTPStatus.NOT_MODIFIED, headers(told), b"")
    return answer


async def _unheard() -> Message:
    raise ClientDisconnect


def _refused(error: errors.GreenwayError, media: str | None) -> RefusedError:
    """Return the refusal of a request for what was raised before any of it was run."""
    status, said = HTTPStatus.SERVICE_UNAVAILABLE, {}
    if isinstance(error, errors.RateLimitedError):
        status, said = HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": str(error.wait)}
    elif isinstance(error, errors.UnauthenticatedError):
        status, said = HTTPStatus.UNAUTHORIZED, {"www-authenticate": CHALLENGE}
    elif isinstance(error, errors.UnknownDocumentError) and media == negotiation.JSON:
        status = _OK  # what Apollo's clients take for a wish to be sent the text
    elif isinstance(error, errors.AskerError):
        status = HTTPStatus.BAD_REQUEST
    return RefusedError(status, error.code, error.sentence, said, error.hint)


def _not_allowed(kind: OperationType, said: Said) -> RefusedError:
    """Return the refusal of an operation of a kind that cannot be asked for so."""
    # Who takes parts is answered in parts what is followed, but where a plan is asked for.
    if kind in _METHODS[said.method] or (kind is OperationType.SUBSCRIPTION and said.wants_parts):
        return _bad_request(UNPLANNED)
    if kind is OperationType.MUTATION:
        return _method_not_allowed("A mutation is sent by POST.", "POST")
    return RefusedError(
        400,
        Code.OPERATION_TYPE_NOT_ALLOWED,
        "Follow a subscription as a stream: accept `text/event-stream`, or open a socket.",
    )


def _bad_request(sentence: str) -> RefusedError:
    return RefusedError(400, Code.BAD_REQUEST, sentence)


def _method_not_allowed(sentence: str, allowed: str) -> RefusedError:
    return RefusedError(405, Code.METHOD_NOT_ALLOWED, sentence, {"allow": allowed})
