"""How long what partners said for a query holds, so that others may be told the same meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.memory import Era
from connectors.partner import Answer

_EVER = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Holding:
    """It holds while all of it is remembered and fresh: what was said just now is remembered next.

    Whoever asks the same is told the same until then, and no longer once somebody has booked.
    """

    until: datetime = _EVER
    eras: set[Era] = field(default_factory=set)

    def note(self, answer: Answer, until: datetime) -> None:
        """Note that an answer is told of, which is told so until then at most."""
        if answer.fresh_until is None or answer.era is None:
            self.until = _NEVER
            return
        self.until = min(self.until, until, answer.fresh_until)
        self.eras.add(answer.era)

    def holds(self, now: datetime) -> bool:
        """Say whether it holds yet."""
        return now < self.until and not any(one.is_over for one in self.eras)
