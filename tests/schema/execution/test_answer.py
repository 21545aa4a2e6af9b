"""Answers are kept for one edition, within bounds, the last used longest."""

from __future__ import annotations

import tracemalloc

import pytest

from schema.execution.answer import Answer, Answered, Answers, etag

EDITION, NEXT = object(), object()


def answered(size: int = 100) -> Answered:
    return Answered(Answer(200, (), b"x" * size), 1, None)


def test_an_answer_is_found_under_each_of_its_keys():
    answers, one = Answers(), answered()

    answers.keep(EDITION, {"meant": 5, "raw": 7}, one)

    assert answers.get(EDITION, "meant") is answers.get(EDITION, "raw") == one
    assert answers.get(EDITION, "another") is None


def test_with_another_edition_all_is_gone():
    answers = Answers()
    answers.keep(EDITION, {"a": 1}, answered())

    assert answers.get(NEXT, "a") is None
    answers.keep(NEXT, {"b": 1}, answered())

    assert answers.get(EDITION, "a") is None
    assert answers.get(NEXT, "a") is None


def test_what_was_used_last_stays_longest():
    answers = Answers(most_bytes=5_000)
    for key in "abc":
        answers.keep(EDITION, {key: 1}, answered(500))
    answers.get(EDITION, "a")

    answers.keep(EDITION, {"d": 1}, answered(500))

    assert [key for key in "abcd" if answers.get(EDITION, key)] == ["a", "c", "d"]


def test_the_bytes_are_bounded_whatever_comes():
    answers = Answers(most_bytes=10_000)

    for number in range(1_000):
        answers.keep(EDITION, {number: 10}, answered(700))

    assert sum(answers.get(EDITION, number) is not None for number in range(1_000)) == 5


def test_what_is_very_large_is_not_kept():
    answers = Answers()

    answers.keep(EDITION, {"a": 1}, answered(2 * 1024 * 1024))

    assert answers.get(EDITION, "a") is None


def test_a_tag_tells_bodies_and_types_apart():
    tags = {etag(body, media) for body in (b"a", b"b") for media in ("a/json", "a/other+json")}

    assert len(tags) == 4
    assert etag(b"a", "a/json") in tags


def test_what_is_kept_takes_no_more_memory_than_is_counted():
    answers = Answers()
    tracemalloc.start()
    try:
        for number in range(300):
            answer = Answer.of(200, "application/json", {"data": {"number": number}})
            answers.keep(EDITION, {number: 10}, Answered(answer, 1, None))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0 < taken < 300 * 1_100


@pytest.mark.parametrize("status", [200, 294, 304])
def test_a_head_says_the_same_as_the_headers(status):
    body = b"" if status == 304 else b"whole"
    answer = Answer(status, ((b"etag", b'"a"'),), body)
    more = ((b"vary", b"accept"),)

    lines = answer.head(more).removesuffix(b"\r\n\r\n").split(b"\r\n")

    assert sorted(lines) == sorted(b": ".join(one) for one in answer.told(more))
    assert (b"content-length: 5" in lines) == (status != 304)
