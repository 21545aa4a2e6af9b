"""How a line of the log is written: for people, or as JSON for what gathers logs."""

from __future__ import annotations

import enum
import json
import logging
from datetime import UTC, datetime

from models import trace

#: What a line may say beside its message, where whoever logs it gives it as ``extra``.
FURTHER = ("reference", "document", "seconds")


class Format(enum.StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"

    def formatter(self) -> logging.Formatter:
        """Return what writes lines so."""
        if self is Format.JSON:
            return _JSON()
        return logging.Formatter("%(levelname)s %(name)s: %(message)s")


class _JSON(logging.Formatter):
    """Writes an event as one line, whatever is in it, with the same keys each time."""

    def format(self, record: logging.LogRecord) -> str:
        said = {one: getattr(record, one) for one in FURTHER if hasattr(record, one)}
        if found := trace.id_under_way():
            said["trace"] = found
        if record.exc_info:
            said["stack"] = self.formatException(record.exc_info)
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **said,
        }
        return json.dumps(line, ensure_ascii=False, default=str)
