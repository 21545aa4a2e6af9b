"""Paging: how an answer goes on over several pages, and where that ends at the latest."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pydantic

from connectors import base, call, decode, errors, expression

_LINK = re.compile(r"<([^>]*)>([^<]*)")


class Link(base.Options):
    """The next page's link stands in the answer's body."""

    url: expression.Written = pydantic.Field(description="The link; the last page has none.")


class Header(base.Options):
    """The next page's link stands in the `Link` header (RFC 8288)."""

    relation: str = pydantic.Field(default="next", description="The relation it has.")


class Offset(base.Options):
    """The next page begins after the rows received, however many were asked for."""

    parameter: str = pydantic.Field(description="The query's key for the rows to pass over.")
    total: expression.Written | None = pydantic.Field(
        default=None, description="How many rows there are; if not said, an empty page ends."
    )


class Number(base.Options):
    """Pages are numbered."""

    parameter: str = pydantic.Field(description="The query's key for the page's number.")
    first: int = pydantic.Field(default=1, ge=0, description="The first page's number.")
    last: expression.Written | None = pydantic.Field(
        default=None, description="The last page's number; if not said, an empty page ends."
    )


class Cursor(base.Options):
    """The answer has a mark that the next page is asked for with."""

    parameter: str = pydantic.Field(description="The query's key for the mark.")
    value: expression.Written = pydantic.Field(description="The mark; the last page has none.")


class Files(base.Options):
    """The first answer, always JSON, lists the files that hold the rows."""

    urls: expression.Written = pydantic.Field(description="The list of their links.")


class Pages(base.Options):
    """How an answer goes on: exactly one of these."""

    link: Link | None = pydantic.Field(default=None, description="By a link in the body.")
    header: Header | None = pydantic.Field(default=None, description="By the `Link` header.")
    offset: Offset | None = pydantic.Field(default=None, description="By rows received.")
    number: Number | None = pydantic.Field(default=None, description="By a page's number.")
    cursor: Cursor | None = pydantic.Field(default=None, description="By a mark.")
    files: Files | None = pydantic.Field(default=None, description="By a list of files.")

    @pydantic.model_validator(mode="after")
    def _one(self) -> Pages:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"Give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def way(self) -> Link | Header | Offset | Number | Cursor | Files:
        """The one that is given."""
        (name,) = self.model_fields_set
        given: Link | Header | Offset | Number | Cursor | Files = getattr(self, name)
        return given


Count = Callable[[Any], int]


async def walk(
    pages: Pages | None, caller: call.Caller, filled: call.Filled, count: Count
) -> AsyncIterator[call.Page]:
    """Yield the pages of one answer.

    Args:
        pages: How it goes on; there is one page without it.
        caller: Who makes the call.
        filled: The call.
        count: Returns how many rows a page's data hold.

    Raises:
        PartnerError: a page failed; BAD_ANSWER, they go round in a circle or on without end.
    """
    way = pages.way if pages else None
    most = caller.partner.policy.pages
    listing = decode.Answer() if isinstance(way, Files) else None
    page = await caller.ask(filled, _begin(way), answer=listing)
    if isinstance(way, Files):
        for link in _links(way, caller.budget, page, most):
            if (page := await caller.follow(filled, link)) is not None:
                yield page
        return
    seen: list[str] = []
    rows = 0
    while page is not None:
        yield page
        received = count(page.data)
        rows += received
        step = _next(way, caller.budget, page, rows if received else -1, len(seen) + 1)
        if step is None:
            return
        _refuse_endless(step, seen, most)
        seen.append(step)
        page = await _turned(way, caller, filled, step)


def _refuse_endless(step: str, seen: list[str], most: int) -> None:
    if step in seen:
        raise errors.bad_answer("leads from page to page in a circle")
    if len(seen) + 1 >= most:
        raise errors.bad_answer(f"goes on for more than {most} pages")


def _begin(way: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - one of the ways, or none
    match way:
        case Offset(parameter=parameter):
            return [(parameter, "0")]
        case Number(parameter=parameter, first=first):
            return [(parameter, str(first))]
    return []


async def _turned(
    way: Any,  # noqa: ANN401 - one of the ways
    caller: call.Caller,
    filled: call.Filled,
    step: str,
) -> call.Page | None:
    if isinstance(way, Link | Header):
        return await caller.follow(filled, step)
    return await caller.ask(filled, [(way.parameter, step)])


def _next(
    way: Any,  # noqa: ANN401 - one of the ways, or none
    budget: expression.Budget,
    page: call.Page,
    rows: int,
    number: int,
) -> str | None:
    """Return what the next page is asked for with, None after the last.

    Args:
        way: How the answer goes on.
        budget: What expressions may cost.
        page: The page received last.
        rows: The rows received so far; -1 if this page had none.
        number: How many pages were received.
    """
    match way:
        case Link(url=sought) | Cursor(value=sought):
            found = budget.find(sought, page.seen)
            return str(found) if found not in (None, "", False) else None
        case Header(relation=relation):
            return _related(page.seen["reply"]["headers"].get("link", ""), relation)
        case Offset(total=total):
            return str(rows) if 0 <= rows < _count(total, budget, page, rows + 1) else None
        case Number(first=first, last=last):
            turned = first + number
            more = turned <= _count(last, budget, page, turned)
            return str(turned) if rows >= 0 and more else None
    return None


def _count(
    sought: expression.Expression | None, budget: expression.Budget, page: call.Page, unsaid: int
) -> int:
    """Return the number that an expression finds, or one in its place where there is none to find.

    Raises:
        Misconfigured: BAD_ANSWER, what it finds is no number.
    """
    if sought is None:
        return unsaid
    try:
        return int(budget.find(sought, page.seen))
    except (TypeError, ValueError, OverflowError):
        raise errors.bad_answer("does not say how many pages or rows there are") from None


def _links(way: Files, budget: expression.Budget, page: call.Page | None, most: int) -> list[str]:
    found = budget.find(way.urls, page.seen) if page else []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise errors.bad_answer("lists no files")
    if len(found) > most:
        raise errors.bad_answer(f"goes on for more than {most} pages")
    return list(dict.fromkeys(found))


def _related(header: str, relation: str) -> str | None:
    """Return the link of a relation in a `Link` header."""
    for url, parameters in _LINK.findall(header):
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "rel" and relation in value.strip(' ,"').split():
                return str(url)
    return None
