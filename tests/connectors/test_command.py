"""The commands about partner files, as they are typed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import command, egress, form, manifest, registry
from models import errors
from tests import partner

ROOT = Path(__file__).parents[2]
TOUR = {
    "id": "t-1",
    "title": "Bronze",
    "startsAt": "2026-11-25T10:00:00+08:00",
    "room": {"name": "Hall 2"},
    "seatsLeft": 4,
}
SECRET = "S3cret/S3cret+S3cret"  # noqa: S105 - nobody's


@pytest.fixture
def museum():
    """Run a partner in a thread of its own: the commands run loops themselves."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    loopback = partner.Loopback(partner.says(json.dumps({"tours": [TOUR]})))
    asyncio.run_coroutine_threadsafe(loopback.start(), loop).result(10)
    try:
        yield loopback
    finally:
        asyncio.run_coroutine_threadsafe(loopback.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def run(tmp_path):
    """Run a command over a folder of its own."""

    def run(*arguments: str):
        bench = command.Bench(
            [tmp_path], secrets={"river-museum-key": SECRET}, allow=egress.LOOPBACK
        )
        return CliRunner().invoke(command.app, arguments, obj=lambda: bench)

    return run


@pytest.fixture
def begun(run, museum, tmp_path):
    """Begin the museum's file."""
    line = f"curl '{museum.url}/api/tours?from=2026-11-24' -H 'X-Api-Key: {SECRET}'"
    made = run("new", "river-museum", "--curl", line, "--folder", str(tmp_path))
    assert made.exit_code == 0, made.output
    assert SECRET not in made.output
    assert "GREENWAY_SECRET_RIVER_MUSEUM_KEY" in made.output
    return tmp_path / "river-museum.yaml"


def test_a_new_file_has_no_mistake_and_its_example_holds(run, begun):
    checked, played, told = run("check"), run("test"), run("list")

    assert (checked.exit_code, checked.output) == (0, "1 partner files, 0 mistakes.\n")
    assert (played.exit_code, played.output.split()[:2]) == (0, ["ok", "river-museum:"])
    assert "SILVER" in told.output
    assert "at work" in told.output
    assert SECRET not in begun.read_text(encoding="utf-8")


def test_a_file_that_shows_no_failure_is_told_where_that_is_wanted(run, begun):
    strict = run("check", "--strict")

    assert strict.exit_code == 1
    assert ": examples: No example shows what becomes of a failure." in strict.output


def test_a_file_that_is_there_is_left_as_it_is(run, begun, tmp_path):
    before = begun.read_text(encoding="utf-8")

    again = run(
        "new", "river-museum", "--curl", "curl https://a.example/", "--folder", str(tmp_path)
    )

    assert isinstance(again.exception, errors.HubError)
    assert begun.read_text(encoding="utf-8") == before


def test_an_example_that_does_not_hold_is_told_and_fails(run, begun):
    text = begun.read_text(encoding="utf-8")
    begun.write_text(text.replace("title: title", "title: id"), encoding="utf-8")

    played, checked = run("test", "river-museum"), run("check")

    assert played.exit_code == checked.exit_code == 1
    assert "offers[0][0].title: “Bronze” was expected; it is “t-1”." in played.output
    assert "river-museum.yaml:" in checked.output


def test_a_recording_is_an_example_more(run, begun):
    asked = ("river-museum", "showing", "all", "--since", "2026-11-24", "--name", "again")

    recorded, played = run("record", *asked), run("test")

    assert recorded.exit_code == 0, recorded.output
    assert "an example more, with 1 offers" in recorded.output
    assert played.output.count("ok") == 2
    assert SECRET not in begun.read_text(encoding="utf-8")


def test_drift_is_told_by_path_and_the_examples_hold_as_before(run, begun, museum):
    same = run("drift", "river-museum", "--as-recorded")
    renamed = {("label" if name == "title" else name): one for name, one in TOUR.items()}
    museum.does = partner.says(json.dumps({"tours": [renamed]}))

    found, played = run("drift", "river-museum", "--as-recorded"), run("test")

    assert (same.exit_code, found.exit_code, played.exit_code) == (0, 1, 0)
    assert "tours: $.tours[].title: This is missing. It may be “label” now." in found.output


def test_a_partner_that_is_not_there_is_told_with_the_nearest(run, begun):
    assert "“river-museum”" in str(run("test", "river-musem").exception.hint)


def test_without_settings_the_commands_are_a_module(begun):
    told = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "connectors", "check", str(begun.parent)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith("partner files, 0 mistakes.\n")


def test_the_schema_knows_every_key_and_every_kinds_options(run):
    printed = json.loads(run("schema").output)

    kinds = registry.kinds()
    assert printed == form.schema(kinds)
    assert set(printed["properties"]) == {
        one.alias or name for name, one in manifest.Manifest.model_fields.items()
    }
    assert printed["properties"]["kind"]["enum"] == sorted(kinds)
    for slug, kind in kinds.items():
        described = printed["$defs"][f"{slug}.options"]
        assert set(described.get("properties", {})) == {
            one.alias or name for name, one in kind.options_model.model_fields.items()
        }
        assert described["additionalProperties"] is False


def test_everything_that_the_schema_refers_to_is_there(run):
    printed = run("schema").output

    whole = json.loads(printed)
    for reference in {part.partition('"')[0] for part in printed.split('"#/$defs/')[1:]}:
        assert reference in whole["$defs"]
