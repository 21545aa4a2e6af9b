"""The line that a query's time is held against."""

from __future__ import annotations

import pytest

from benchmarks.growth import Line


def test_points_on_a_line_are_found_on_it():
    line = Line.through({10: 2.0, 100: 11.0, 10_000: 1001.0})

    assert (line.start, line.each, line.far) == pytest.approx((1.0, 0.1, 0.0), abs=1e-6)


def test_what_grows_faster_than_its_rows_is_far_from_every_line():
    line = Line.through({many: 0.001 * many**2 for many in (10, 100, 1_000, 10_000)})

    assert line.far > 0.5
