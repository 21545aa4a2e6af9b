"""A partner's answers are compared with what was recorded, by path and never by value."""

from __future__ import annotations

import json

import pytest

from connectors import drift, egress, manifest, proof, registry, transport
from tests import partner

FILE = (registry.PARTNERS / "hongqiao-cinema.yaml").read_text(encoding="utf-8")


def shape(*answers):
    found = drift.Shape()
    for one in answers:
        found.add((), one)
    return found


def told(recorded, live):
    return {
        one.path: (one.sentence, one.breaks)
        for one in drift.differences(shape(recorded), shape(live))
    }


RECORDED = {
    "films": [
        {"id": 1, "name": "A", "hall": {"no": "1"}},
        {"id": 2, "name": "B"},
        {"id": 3, "name": "C"},
    ]
}


def test_other_values_and_fewer_places_are_no_difference():
    assert told(RECORDED, {"films": [{"id": 9, "name": "Z", "hall": {"no": "2"}}]}) == {}
    assert told(RECORDED, {"films": []}) == {}


@pytest.mark.parametrize(
    ("live", "path", "sentence", "breaks"),
    [
        ([{"id": 1}], "$.films[].name", "This is missing.", True),
        (
            [{"id": 1, "title": "A"}],
            "$.films[].name",
            "This is missing. It may be “title” now.",
            True,
        ),
        (
            [{"id": "1", "name": "A"}],
            "$.films[].id",
            "This was a number, and is text.",
            True,
        ),
        ([{"id": 1, "name": None}], "$.films[].name", "This was text, and is null.", True),
        (
            [{"id": 1, "name": "A"}, {"id": 2}],
            "$.films[].name",
            "This is missing in 1 of 2.",
            False,
        ),
        ([{"id": 1, "name": "A", "@v.1": 2}], "$.films[].@v.1", "This is new.", False),
    ],
)
def test_what_is_another_is_told_by_its_path(live, path, sentence, breaks):
    assert told(RECORDED, {"films": live})[path] == (sentence, breaks)


def test_what_was_seldom_there_may_be_missing():
    found = told(RECORDED, {"films": [{"id": 1, "name": "A"}]})

    assert not any(breaks for _, breaks in found.values())


def test_of_several_new_names_the_likest_is_told():
    live = {"films": [{"id": 1, "label": "x", "fullName": "A"}]}

    assert told(RECORDED, live)["$.films[].name"][0] == "This is missing. It may be “fullName” now."


@pytest.fixture
def compare(tmp_path):
    """Compare a cinema's file with what a loopback partner answers."""

    async def compare(does):
        async with partner.running(does) as loopback:
            path = tmp_path / "hongqiao-cinema.yaml"
            address = "address: sandbox:cinema/hongqiao-cinema/"
            assert address in FILE
            path.write_text(FILE.replace(address, f"address: {loopback.url}/"), encoding="utf-8")
            entry = manifest.load(path, registry.kinds())
            sockets = transport.Sockets(egress.LOOPBACK)
            secrets = {entry.manifest.credentials.given[1].secret: "s"}
            try:
                return entry, await drift.drifted(
                    entry, entry.manifest.address, secrets, sockets.send
                )
            finally:
                await sockets.close()

    return compare


def playing(change):
    """Return a partner that answers as recorded, changed."""
    entry = manifest.load(registry.PARTNERS / "hongqiao-cinema.yaml", registry.kinds())
    (first, *_) = entry.manifest.examples
    return partner.says(change(first.replies[0].played().body))


async def test_a_partner_that_answers_as_recorded_has_not_drifted(compare):
    _, found = await compare(playing(lambda body: body))

    assert found
    assert found == {name: [] for name in found}


async def test_a_renamed_field_is_told_and_the_examples_hold_as_before(compare):
    entry, found = await compare(playing(lambda body: body.replace("startDate", "beginDate")))

    (several,) = found.values()
    paths = {one.path: one.sentence for one in several if one.breaks}
    (renamed,) = (path for path in paths if path.endswith(".startDate"))
    assert paths[renamed] == "This is missing. It may be “beginDate” now."
    assert "PARTNER_BAD_ANSWER" in paths
    assert all(wrong == [] for wrong in await proof.prove(entry))


async def test_a_partner_that_fails_is_told_as_that(compare):
    _, found = await compare(partner.says("{}", status=500))

    (several,) = found.values()
    assert several[0].path == "PARTNER_UNWELL"


@pytest.mark.parametrize(
    ("recorded", "live", "path"),
    [
        (b"<a xmlns='u.v'><b c='1'/></a>", b"<a xmlns='u.v'><b d='1'/></a>", "$.a.b[].@c"),
        (b"id,name\n1,A\n", b"id,title\n1,A\n", "$[].name"),
        (b'{"id": 1, "n": 2}\n{"id": 2, "n": 3}', b'{"id": 1}\n{"id": 2}', "$[].n"),
        (b"BEGIN:VCALENDAR", json.dumps({"a": 1}).encode(), "$"),
    ],
)
def test_xml_tables_and_lines_have_a_shape_too(recorded, live, path):
    old = drift.shapes([("feed", recorded)])["feed"]
    new = drift.shapes([("feed", live)])["feed"]

    assert path in [one.path for one in drift.differences(old, new)]
