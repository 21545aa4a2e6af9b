from __future__ import annotations

from connectors import reading


def test_what_was_made_of_the_same_bytes_is_known():
    readings = reading.Readings()
    readings.keep("asked", [b"one", b"two"], "made")

    assert readings.known("asked", [b"one", b"two"]) == "made"
    assert readings.known("asked", [b"one", b"three"]) is None
    assert readings.known("asked otherwise", [b"one", b"two"]) is None


def test_the_last_answer_takes_the_place_of_the_one_before():
    readings = reading.Readings()
    readings.keep("asked", [b"one"], "first")
    readings.keep("asked", [b"two"], "second")

    assert readings.known("asked", [b"one"]) is None
    assert readings.known("asked", [b"two"]) == "second"


def test_the_oldest_go_where_there_are_too_many_or_too_large():
    readings = reading.Readings()
    for number in range(reading.ENTRIES + 1):
        readings.keep(number, [b""], number + 1)
    assert readings.known(0, [b""]) is None
    assert readings.known(1, [b""]) == 2

    readings.keep("large", [b"x" * reading.BYTES], "large")
    readings.keep("small", [b"x"], "small")

    assert readings.known("large", [b"x" * reading.BYTES]) is None
    assert readings.known("small", [b"x"]) == "small"
