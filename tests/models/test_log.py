from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from models import trace
from models.log import Format


def line(message, *arguments, form=Format.JSON, **more):
    record = logging.getLogger("greenway").makeRecord(
        "greenway", logging.WARNING, __file__, 1, message, arguments, more.pop("exc_info", None),
        extra=more,
    )  # fmt: skip
    return form.formatter().format(record)


def test_a_line_of_json_has_the_same_keys_whatever_is_said():
    plain = json.loads(line("%s rests", "quill-bank"))

    assert list(plain) == ["time", "level", "logger", "message"]
    assert plain["message"] == "quill-bank rests"
    assert (plain["level"], plain["logger"]) == ("WARNING", "greenway")
    assert plain["time"].endswith("Z")


def test_a_line_of_json_has_what_refers_to_an_answer_or_a_document():
    said = json.loads(line("slow", reference="a1b2", document="ff", seconds=1.5, serial="canary"))

    assert (said["reference"], said["document"], said["seconds"]) == ("a1b2", "ff", 1.5)
    assert "canary" not in str(said)


@pytest.mark.parametrize("message", ["two\nlines", 'a "quote"', "\u2028", "\udcff", "地铁"])
def test_an_event_is_one_line_whatever_is_in_it(message):
    written = line(message)

    assert len(written.split("\n")) == 1
    assert json.loads(written)["message"] == message


def test_a_stack_stands_in_its_own_key():
    try:
        int("inside")
    except ValueError:
        said = line("failed", exc_info=sys.exc_info())

    assert "\n" not in said
    assert "ValueError: invalid literal" in json.loads(said)["stack"]


def test_text_is_level_logger_and_message():
    assert line("%d lines", 2, form=Format.TEXT) == "WARNING greenway: 2 lines"


class Numbered:
    """A tracer with one trace under way."""

    def id(self) -> str:
        return "0af7651916cd43dd8448eb211c80319c"


def test_a_line_has_the_trace_under_way():
    trace.to(Numbered())
    try:
        said = json.loads(line("slow"))
    finally:
        trace.to(None)

    assert said["trace"] == "0af7651916cd43dd8448eb211c80319c"


def test_libraries_write_as_the_hub_does():
    script = (
        "import logging, server, settings\nfrom models import log\n"
        "server._log_to_stderr(settings.Settings(log_format=log.Format.JSON))\n"
        "logging.getLogger('uvicorn.error').warning('two\\nlines')\n"
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert json.loads(ran.stderr)["logger"] == "uvicorn.error"
