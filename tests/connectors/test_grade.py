import re

import pytest

from connectors import breaker, errors, grade, manifest, registry
from connectors.grade import Criterion, Grade
from models import source

KINDS = registry.kinds()
HOSPITAL = """
slug: riverside-clinic
kind: hospital
name: {en: Riverside Clinic}
owner: Riverside integration team
about: {en: Free dental appointments}
documentation: https://clinic.example/docs
district: changning
address: https://clinic.example/fhir/r4/
examples:
  - name: one free slot
    inquiries:
      - capability: appointment
        topic: dental
        since: "2026-11-23T00:00:00+08:00"
        until: "2026-11-25T00:00:00+08:00"
    replies:
      - path: Slot
        content_type: application/fhir+json
        json:
          resourceType: Bundle
          type: searchset
          entry:
            - resource:
                resourceType: Slot
                id: d-1
                serviceType: [{coding: [{code: dental}]}]
                schedule: {reference: Schedule/teeth}
                status: free
                start: "2026-11-24T10:00:00+08:00"
                end: "2026-11-24T10:30:00+08:00"
            - resource:
                resourceType: Schedule
                id: teeth
                actor: [{reference: Location/1, display: Room 7}]
    offers:
      - - {id: d-1, where: Room 7}
  - name: a page in place of an answer
    inquiries:
      - capability: appointment
        topic: dental
        since: "2026-11-23T00:00:00+08:00"
        until: "2026-11-25T00:00:00+08:00"
    replies:
      - {path: Slot, content_type: text/html, body: "<html></html>"}
    problem: PARTNER_WRONG_TYPE
"""
WELL = grade.Lately([None] * grade.MANY_ASKS, 0.1, breaker.State.CLOSED)
DEADLINE_SECONDS = 2.0


def entry(text):
    """Return a partner file of this text, slugged as it says."""
    slug = re.search(r"(?m)^slug: (.*)$", text).group(1)
    return manifest.read(source.parse(text, f"{slug}.yaml"), slug, KINDS)


async def graded(text, lately=WELL):
    """Return a file's grade, and the criteria that are missing."""
    found = entry(text)
    reasons = await grade.of_file(found.manifest, found.kind, found.options)
    reasons += grade.of_answers(lately, DEADLINE_SECONDS)
    return grade.reached(reasons), {one.criterion for one in reasons if not one.is_met}


async def test_a_whole_file_of_a_partner_that_is_well_is_platinum():
    assert await graded(HOSPITAL) == (Grade.PLATINUM, set())


async def test_without_the_example_of_a_failure_it_is_silver():
    head, *examples = re.split(r"(?m)^  - name: ", HOSPITAL)
    shown = [one for one in examples if "\n    problem: " not in one]
    assert len(shown) < len(examples)

    found = await graded("  - name: ".join([head, *shown]))

    assert found == (Grade.SILVER, {Criterion.FAILURES_SHOWN})


async def test_without_an_example_of_what_it_gives_it_is_silver():
    head, *examples = re.split(r"(?m)^  - name: ", HOSPITAL)
    failures = [one for one in examples if "\n    problem: " in one]

    found = await graded("  - name: ".join([head, *failures]))

    assert found == (Grade.SILVER, {Criterion.ALL_SHOWN})


async def test_an_example_that_does_not_hold_leaves_bronze():
    wrong = HOSPITAL.replace("    problem: PARTNER_WRONG_TYPE", "    problem: PARTNER_TIMEOUT")
    assert wrong != HOSPITAL

    assert await graded(wrong) == (Grade.BRONZE, {Criterion.EXAMPLES_HOLD})


async def test_a_recording_that_names_somebody_leaves_bronze():
    told = HOSPITAL.replace(
        "resourceType: Bundle", "contact: desk@clinic.cn\n          resourceType: Bundle", 1
    )
    assert told != HOSPITAL

    assert await graded(told) == (Grade.BRONZE, {Criterion.RECORDINGS_CLEAN})


UNWELL = errors.Problem.UNWELL
ODD = errors.Problem.BAD_ANSWER


@pytest.mark.parametrize(
    ("lately", "reached", "missing"),
    [
        (
            grade.Lately([], None, breaker.State.CLOSED),
            Grade.SILVER,
            {Criterion.SELDOM_FAILS, Criterion.FAST, Criterion.NO_DRIFT, Criterion.STEADY},
        ),
        (
            grade.Lately([None] * grade.ASKS, 0.1, breaker.State.CLOSED),
            Grade.GOLD,
            {Criterion.NO_DRIFT, Criterion.STEADY},
        ),
        (
            grade.Lately([None] * 95 + [UNWELL] * 5, 0.1, breaker.State.CLOSED),
            Grade.SILVER,
            {Criterion.SELDOM_FAILS, Criterion.STEADY},
        ),
        (
            grade.Lately([None] * 98 + [UNWELL] * 2, 0.1, breaker.State.CLOSED),
            Grade.GOLD,
            {Criterion.STEADY},
        ),
        (
            grade.Lately([None] * 99 + [ODD], 0.1, breaker.State.CLOSED),
            Grade.GOLD,
            {Criterion.NO_DRIFT},
        ),
        (
            grade.Lately([None] * 100, 0.1, breaker.State.OPEN),
            Grade.GOLD,
            {Criterion.STEADY},
        ),
        (
            grade.Lately([None] * 100, DEADLINE_SECONDS / 2, breaker.State.CLOSED),
            Grade.SILVER,
            {Criterion.FAST},
        ),
    ],
    ids=["never asked", "new", "fails", "fails seldom", "odd once", "rests", "slow"],
)
async def test_what_a_partner_has_been_like_lately_counts(lately, reached, missing):
    assert await graded(HOSPITAL, lately) == (reached, missing)


async def test_every_criterion_has_its_reason():
    found = entry(HOSPITAL)
    reasons = await grade.of_file(found.manifest, found.kind, found.options)
    reasons += grade.of_answers(WELL, DEADLINE_SECONDS)

    assert [grade.of_refused(0).criterion, *(one.criterion for one in reasons)] == list(Criterion)


async def test_a_file_whose_newer_one_was_refused_is_bronze():
    found = entry(HOSPITAL)
    reasons = await grade.of_file(found.manifest, found.kind, found.options)

    assert grade.reached((grade.of_refused(0), *reasons)) is not Grade.BRONZE
    assert grade.reached((grade.of_refused(1), *reasons)) is Grade.BRONZE
