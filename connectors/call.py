"""Call: one declared exchange with a partner: filled in, sent, decoded, judged by its rules."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode, urljoin

import orjson
import pydantic

from connectors import base, decode, errors, exchange, expression, http, template
from models import errors as mistakes

#: Headers that the hub writes itself.
_OURS = frozenset(
    {"accept", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)
_RETRIABLE = frozenset({errors.Problem.BUSY, errors.Problem.RATE_LIMITED, errors.Problem.UNWELL})
_REFUSED = frozenset({errors.Problem.REFUSED, errors.Problem.NOT_FOUND, errors.Problem.CONFLICT})
_MISFIT = frozenset({errors.Problem.UNAUTHORIZED, errors.Problem.MISCONFIGURED})
_NO_CONTENT = 204

_log = logging.getLogger("greenway.connectors")


def meant(problem: errors.Problem) -> errors.Problem:
    """Return a problem that a partner's answer can mean.

    Raises:
        ValueError: only the hub itself can find it.
    """
    if problem not in _RETRIABLE | _REFUSED | _MISFIT:
        known = ", ".join(sorted(_RETRIABLE | _REFUSED | _MISFIT))
        raise ValueError(f"An answer can mean one of: {known}")
    return problem


def failure(problem: errors.Problem) -> errors.PartnerError:
    """Return the problem that an answer means, as an error."""
    if problem in _RETRIABLE:
        sentence = "The partner says that it cannot answer now."
        return errors.Retriable(problem, sentence, errors.RETRY_SECONDS)
    if problem in _REFUSED:
        return errors.Refused("The partner says that this cannot be had.", problem)
    return errors.Misconfigured(problem, "The partner says that the hub may not have this.")


class Rule(base.Options):
    """What an answer means that is no plain success; the first rule that fits counts."""

    status: int | None = pydantic.Field(
        default=None,
        ge=200,
        le=499,
        description="The HTTP status that it is for; any good one, if not said.",
    )
    when: expression.Written | None = pydantic.Field(
        default=None, description="What must hold of the answer."
    )
    problem: errors.Problem | None = pydantic.Field(
        default=None, description="The problem that it is."
    )
    empty: bool = pydantic.Field(
        default=False, description="It means that there is nothing, and is no problem."
    )
    message: expression.Written | None = pydantic.Field(
        default=None, description="What the partner says of it: for the log alone."
    )

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Rule:
        if self.status is None and self.when is None:
            raise ValueError("Give a status, or what must hold of the answer")
        if (self.problem is None) != self.empty:
            raise ValueError("Give a problem, or say `empty: true`")
        if self.problem is not None:
            meant(self.problem)
        return self

    def fits(self, status: int, seen: Any, budget: expression.Budget) -> bool:  # noqa: ANN401 - data of any shape
        """Return whether this rule is for an answer."""
        if status != self.status and (self.status is not None or status >= 300):  # noqa: PLR2004 - 2xx
            return False
        return self.when is None or budget.holds(self.when, seen)


class Call(base.Options):
    """One request to the partner, and how its answer is read."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = pydantic.Field(
        default="GET", description="The HTTP method."
    )
    path: template.Way = pydantic.Field(description="The path, relative to the address.")
    query: Mapping[str, template.Text | tuple[template.Text, ...]] = pydantic.Field(
        default={}, description="The query's keys; a list is a key given several times."
    )
    headers: Mapping[str, template.Text] = pydantic.Field(
        default={}, description="Further headers."
    )
    json_: template.Data = pydantic.Field(
        default=None, alias="json", description="The body, sent as JSON."
    )
    form: Mapping[str, template.Text] | None = pydantic.Field(
        default=None, description="The body, sent as a form."
    )
    xml: template.Text | None = pydantic.Field(default=None, description="The body, sent as XML.")
    answer: decode.Answer = pydantic.Field(
        default=decode.Answer(), description="How the answer is written."
    )
    errors: tuple[Rule, ...] = pydantic.Field(
        default=(), description="What answers mean, before the rules for all calls."
    )

    @pydantic.field_validator("headers")
    @classmethod
    def _discreet(cls, headers: Mapping[str, template.Template]) -> Mapping[str, template.Template]:
        for name, one in headers.items():
            if name.lower() in _OURS:
                raise ValueError(f"The hub writes the header “{mistakes.shown(name)}” itself")
            fixed = not any(True for _ in one.placeholders)
            if fixed and any(word in name.lower() for word in exchange.REDACTED):
                raise ValueError(
                    f"“{mistakes.shown(name)}” looks like a secret: it stands under `credentials`"
                )
        return headers

    @pydantic.model_validator(mode="after")
    def _one_body(self) -> Call:
        bodies = sum(one is not None for one in (self.json_, self.form, self.xml))
        if bodies > 1 or (bodies and self.method == "GET"):
            raise ValueError("A request has one body at most: json, form or xml; a GET has none")
        return self

    def body(self, values: template.Values) -> tuple[bytes | None, str]:
        """Return the body, and its media type."""
        if self.form is not None:
            pairs = [(name, one.text(values)) for name, one in self.form.items()]
            return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        if self.xml is not None:
            return template.xml(self.xml, values).encode(), "application/xml"
        if self.json_ is not None:
            return orjson.dumps(template.data(self.json_, values)), "application/json"
        return None, "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its data, as expressions see it, as it is, and as it came."""

    data: Any
    seen: Mapping[str, Any]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filled:
    """A call with its values filled in; equal ones ask the same."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    content: bytes | None
    content_type: str

    @classmethod
    def of(cls, call: Call, values: template.Values) -> Filled:
        """Return a call filled in.

        Raises:
            Refused: NOT_FOUND, a value cannot stand where it belongs.
        """
        headers = tuple((name, template.header(one, values)) for name, one in call.headers.items())
        try:
            query = tuple(_query(call, values))
            content, content_type = call.body(values)
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            template.unaskable()
        return cls(call.method, call.path.text(values), query, headers, content, content_type)


class Caller:
    """Makes one declared call, and follows where its answers lead.

    Args:
        partner: Who is called.
        call: The call.
        rules: What answers mean, after the call's own rules.
        budget: What expressions may cost.
        window: The time in which a calendar's events recur.
        private: It is about somebody: the log hears nothing of what the partner says.
    """

    def __init__(
        self,
        partner: http.PartnerClient,
        call: Call,
        rules: Sequence[Rule],
        budget: expression.Budget,
        window: decode.Window | None = None,
        *,
        private: bool = False,
    ) -> None:
        self.partner = partner
        self.budget = budget
        self._answer = call.answer
        self._rules = (*call.errors, *rules)
        self._window = window
        self._private = private

    async def ask(
        self,
        filled: Filled,
        query: exchange.Pairs = (),
        *,
        reads: bool = True,
        answer: decode.Answer | None = None,
    ) -> Page | None:
        """Return the answer to a call, None where that means that there is nothing.

        Args:
            filled: The call.
            query: Further keys of the query.
            reads: It changes nothing at the partner, whatever its method.
            answer: How this answer is written, where it is not as the call says.

        Raises:
            PartnerError: the call failed, or its answer means a problem.
        """
        written = answer or self._answer
        sent = self.partner.send(
            filled.method,
            filled.path,
            query=[*filled.query, *query],
            headers=dict(filled.headers),
            content=filled.content,
            content_type=filled.content_type,
            accept=written.accepted,
            reads=reads,
        )
        return await self._judged(sent, written)

    async def follow(self, filled: Filled, link: str) -> Page | None:
        """Return the answer to a link in the answer to a call, as ``ask`` does.

        Raises:
            PartnerError: as ``ask``; FORBIDDEN_ADDRESS, the link leaves the partner's hosts.
        """
        try:
            below = urljoin(filled.path, link)
        except ValueError:
            raise errors.bad_answer("holds a link that cannot be read") from None
        followed = self.partner.follow(
            below, headers=dict(filled.headers), accept=self._answer.accepted
        )
        return await self._judged(followed, self._answer)

    async def _judged(self, sent: Awaitable[exchange.Reply], written: decode.Answer) -> Page | None:
        """Return what an answer says, None where it means that there is nothing.

        Raises:
            PartnerError: it means a problem.
        """
        reply, data, wrong = await self._received(sent, written)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        told = {"status": reply.status, "headers": headers}
        page = Page(data, expression.scope(data, {"reply": told}), reply.body)
        for rule in self._rules:
            if rule.fits(reply.status, page.seen, self.budget):
                self._note(rule, page)
                if rule.problem is not None:
                    raise failure(rule.problem)
                return None
        if wrong is not None:
            raise wrong
        return page

    async def _received(
        self, sent: Awaitable[exchange.Reply], written: decode.Answer
    ) -> tuple[exchange.Reply, Any, errors.PartnerError | None]:
        """Return a reply and its data, and the error that it is where no rule says otherwise."""
        try:
            reply = await sent
            data = await decode.read(written, reply, self._window) if reply.body else {}
        except errors.Refused as refused:
            reply = exchange.Reply(refused.status, {}, refused.body)
            return reply, _lenient(refused.body), refused
        except errors.Misconfigured as wrong:
            if wrong.problem is not errors.Problem.NO_CONTENT:
                raise
            return exchange.Reply(_NO_CONTENT, {}, b""), {}, wrong
        return reply, data, None

    def _note(self, rule: Rule, page: Page) -> None:
        """Tell the log what the partner says, unless that may be about somebody."""
        if rule.message is not None and not self._private:
            said = mistakes.shown(str(self.budget.find(rule.message, page.seen)), 200)
            _log.info("%s says: %s", self.partner.slug, said)


def _query(call: Call, values: template.Values) -> Iterator[tuple[str, str]]:
    for name, given in call.query.items():
        for one in given if isinstance(given, tuple) else (given,):
            value = one.value(values)
            for text in value if isinstance(value, list) else (value,):
                str(text).encode()  # What is no UTF-8 cannot be asked for.
                yield name, str(text)


def _lenient(body: bytes) -> Any:  # noqa: ANN401 - whatever the partner sent
    """Return a refusal's body where it is JSON: it need not be."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
