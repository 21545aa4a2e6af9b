"""No value that is filled in leaves its place, whatever it is."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors, template

ZONE = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2026, 11, 23, tzinfo=ZONE)


def values(**named):
    return template.Values(named, ZONE)


@given(st.text())
def test_a_value_stays_in_its_segment_of_the_path(text):
    path = template.Path.parse("items/{topic}/slots")
    try:
        told = path.text(values(topic=text))
    except errors.Refused:
        assert text in ("", ".", "..") or any("\ud800" <= letter <= "\udfff" for letter in text)
        return

    url = yarl.URL(f"https://partner.example/api/{told}")

    assert url.parts == ("/", "api", "items", text, "slots")
    assert (url.query_string, url.fragment) == ("", "")


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn"))))
def test_a_value_is_text_in_xml_and_no_markup(text):
    document = template.Template.parse('<a b="{topic}">{topic}</a>')

    read = ElementTree.fromstring(template.xml(document, values(topic=text)))  # noqa: S314 - ours

    assert read.text == (text or None)
    assert list(read) == []


@pytest.mark.parametrize("text", ["a\r\nX: 1", "a\nb", "\x00"])
def test_a_value_that_would_end_its_header_is_refused(text):
    with pytest.raises(errors.Refused) as raised:
        template.header(template.Template.parse("{key}"), values(key=text))

    assert raised.value.problem is errors.Problem.NOT_FOUND


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{since}", "2026-11-23T00:00:00+08:00"),
        ("ge{since|date}", "ge2026-11-23"),
        ("{since|last_date}", "2026-11-22"),
        ("{since|utc}", "2026-11-22T16:00:00Z"),
        ("{since|local}", "2026-11-23T00:00:00"),
        ("{since|unix}", 1795363200),
        ("{since|%d.%m.%Y}", "23.11.2026"),
        ("name eq '{topic|quoted}'", "name eq 'O''Hara'"),
        ("{{{topic}}}", "{O'Hara}"),
    ],
)
def test_values_are_told_as_the_partner_wants_them(source, told):
    filled = template.Template.parse(source).value(values(since=SINCE, topic="O'Hara"))

    assert filled == told


def test_a_placeholder_alone_in_json_keeps_its_type():
    body = {"seats": template.Template.parse("{units}")}

    assert template.data(body, values(units=2)) == {"seats": 2}


@pytest.mark.parametrize("source", ["{", "}", "{topic", "{ topic }", "{Topic}", 7])
def test_a_brace_that_is_no_placeholders_is_a_mistake(source):
    with pytest.raises(ValueError, match=r"brace|text"):
        template.Template.parse(source)


@pytest.mark.parametrize("source", ["../{topic}", "a?b=1", "a#b", "a b", "./a"])
def test_a_path_leads_nowhere_but_down(source):
    with pytest.raises(ValueError, match=r"path|nowhere"):
        template.Path.parse(source)
