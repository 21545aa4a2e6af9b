"""Spans: how long each part of an operation took, told to whoever traces; to nobody, for nothing.

A span has a name and a few attributes out of closed sets: which partner, which table, which
outcome. Never what a query says or a person is: traces are kept by others, and for long.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

#: What a trace begins with.
OPERATION = "operation"
#: What an attribute may be.
Value = str | int | float | bool


class Span(Protocol):
    """A part of an operation while it is under way."""

    def tell(self, **attributes: Value) -> None:
        """Add what is known only by now."""


class Tracer(Protocol):
    """What takes the spans of this process."""

    def span(
        self, name: str, attributes: Mapping[str, Value], parent: str | None
    ) -> AbstractContextManager[Span]:
        """Return a span: an operation's, below a ``traceparent`` (W3C); else below one of these."""

    def id(self) -> str:
        """Return the id of the trace under way; nothing, where there is none."""


class Untold:
    """A span that nobody hears of."""

    __slots__ = ()

    def __enter__(self) -> Untold:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        return None

    def tell(self, **attributes: Value) -> None:
        """Add nothing."""


#: One for all.
UNTOLD = Untold()
_tracer: Tracer | None = None


def to(tracer: Tracer | None) -> None:
    """Tell spans to a tracer from now on, or to nobody."""
    global _tracer  # noqa: PLW0603 - a process has one tracer; handing it down costs more than spans
    _tracer = tracer


def is_on() -> bool:
    """Say whether anybody hears of spans."""
    return _tracer is not None


def span(
    name: str, parent: str | None = None, /, **attributes: Value
) -> AbstractContextManager[Span]:
    """Return a span around a block.

    Args:
        name: One of few. A trace begins with an ``operation``; a ``batch``, an ``ask``, a ``call``
            and a ``statement`` are told of where one is told of.
        parent: The ``traceparent`` that came with a request, where it is the first span of it.
        attributes: Out of closed sets; nothing of a query's text or of a person.
    """
    if _tracer is None:
        return UNTOLD
    return _tracer.span(name, attributes, parent)


def id_under_way() -> str:
    """Return the id of the trace under way; nothing, where there is none."""
    return "" if _tracer is None else _tracer.id()
