"""What a partner answered last, a question each: kept here, and told to the hub's other processes.

Only what is about nobody comes here: never a fact about a person, never a booking.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from connectors import base, board, http
from models.offer import SHAPES, Capability, Offers
from models.once import Once

#: The most questions whose last answer one partner remembers; the oldest go first.
MOST = 256


@dataclass(slots=True, eq=False)
class Era:
    """A time in which nobody did what makes a partner's answers untrue."""

    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the partner gave, when it said so, and in which era it was asked.

    ``once`` has what was made of it.
    """

    offers: Offers
    observed_at: datetime
    era: Era = field(compare=False, repr=False)
    once: Once = field(default_factory=Once, compare=False, repr=False)


_INQUIRY = TypeAdapter(base.Inquiry)
_ANSWERS: Mapping[Capability, TypeAdapter[Any]] = {
    capability: TypeAdapter(tuple[shape, ...])  # type: ignore[valid-type]  # a shape is a value here
    for capability, shape in SHAPES.items()
}
_TIME = TypeAdapter(datetime)


class Memory:
    """One partner's last answers, by one version of its file.

    An ``era`` ends with what makes answers untrue: one that was asked for in an earlier era is not
    remembered.
    """

    def __init__(
        self,
        client: http.PartnerClient,
        version: str,
        seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        """Remember answers for so long, and hear those that the same version gave elsewhere."""
        self.era = Era()
        self._clock = clock
        self._seconds = seconds
        self._answers: OrderedDict[base.Inquiry, Remembered] = OrderedDict()
        self._sheet = client.sheet(self._hear, version)

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, inquiry: base.Inquiry) -> Remembered | None:
        """Return the last answer to a question, of whatever age."""
        return self._answers.get(inquiry)

    def remember(self, found: Mapping[base.Inquiry, Remembered]) -> None:
        """Remember answers, unless their era is over."""
        for inquiry, answer in found.items():
            if answer.era.is_over:
                continue
            self._keep(inquiry, answer)
            if self._sheet.is_heard:
                said = [
                    _INQUIRY.dump_python(inquiry, mode="json"),
                    _ANSWERS[inquiry.capability].dump_python(answer.offers, mode="json"),
                    _TIME.dump_python(answer.observed_at, mode="json"),
                ]
                self._sheet.answered(_question(inquiry), said, self._seconds, MOST)

    def forget(self, capability: Capability) -> None:
        """Forget such answers, and remember none that is under way."""
        self._forget(capability)
        self._sheet.forgot(f"{capability}:")

    def _keep(self, inquiry: base.Inquiry, answer: Remembered) -> None:
        self._answers[inquiry] = answer
        self._answers.move_to_end(inquiry)
        if len(self._answers) > MOST:
            self._answers.popitem(last=False)

    def _forget(self, capability: Capability) -> None:
        self.era.is_over, self.era = True, Era()
        for one in [one for one in self._answers if one.capability is capability]:
            del self._answers[one]

    def _hear(self, news: board.News) -> None:
        match news:
            case board.Forgot(what):
                self._forget(Capability(what.removesuffix(":")))
            case board.Answered([asked, offers, time]):
                inquiry = _INQUIRY.validate_python(asked)
                shape = _ANSWERS[inquiry.capability]
                # By a clock that is ahead an answer would stay fresh until that time has come.
                observed_at = min(_TIME.validate_python(time), self._clock())
                heard = Remembered(Offers(shape.validate_python(offers)), observed_at, self.era)
                known = self._answers.get(inquiry)
                if known is None or known.observed_at < heard.observed_at:
                    self._keep(inquiry, heard)


def _question(inquiry: base.Inquiry) -> str:
    """Return a question's name; equal ones have the same."""
    since, until = (time.astimezone(UTC).isoformat() for time in (inquiry.since, inquiry.until))
    return f"{inquiry.capability}:{inquiry.topic} {since} {until}"
