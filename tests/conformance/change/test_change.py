"""The contract beside the last release's: what breaks was announced, and its day has passed."""

import datetime
from pathlib import Path

import pytest

from schema import SDL

HERE = Path(__file__).parent
RELEASED = SDL.with_name("released.graphql")
TODAY = datetime.date(2027, 2, 1)
BEFORE = """
type Query {
  kept: Int
  announced: Old @deprecated(reason: "Ask `kept`, until 2027-01-31.")
  running(by: Int, past: Int @deprecated(reason: "Unused, until 2027-01-31.")): Int
    @deprecated(reason: "Ask `kept`, until 2027-02-01.")
  careless: Int @deprecated(reason: "Ask `kept`.")
}
type Old { one: Int }
"""


@pytest.fixture
def broken(faults, tmp_path):
    """What breaks when the contract BEFORE becomes another one, as of TODAY."""

    async def found(after):
        for name, text in (("before", BEFORE), ("after", after)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return await faults(HERE / "diff.js", tmp_path / "before", tmp_path / "after", str(TODAY))

    return found


async def test_nothing_breaks_that_was_not_announced_in_time(faults):
    today = datetime.datetime.now(datetime.UTC).date().isoformat()

    assert await faults(HERE / "diff.js", RELEASED, SDL, today) == {}


async def test_what_was_announced_may_go_once_its_day_has_passed(broken):
    after = "type Query { kept: Int running(by: Int): Int careless: Int }"

    assert await broken(after) == {}


async def test_what_was_announced_stays_until_its_day_and_what_names_none_stays(broken):
    assert (await broken("type Query { kept: Int }")).keys() == {"Query.running", "Query.careless"}


async def test_what_is_required_anew_breaks(broken):
    found = await broken(BEFORE.replace("running(", "running(anew: Int!, "))

    assert found.keys() == {"Query.running.anew"}
