"""The district's time zone and the clock every system's data is told by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]


def today(clock: Clock) -> date:
    """Return the district's date."""
    return clock().astimezone(SHANGHAI).date()
