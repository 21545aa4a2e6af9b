"""What operators type: the audit, signing keys, and districts whose cards count."""

from __future__ import annotations

import asyncio
import json
import os
import shutil

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import server
from credentials.keyring import Purpose
from models.verification import Verification
from resolvers import ledger
from settings import Settings
from tests import check

pytestmark = pytest.mark.any_database


@pytest.fixture
def settings(kind, furnished, tmp_path) -> Settings:
    copy = shutil.copy(furnished.removeprefix("sqlite:///"), tmp_path / "hub.db")
    return Settings(data=tmp_path, database_url=f"sqlite:///{copy}")


@pytest.fixture
def greenway(settings):
    """Run the command line over the test's own database."""

    def greenway(*arguments: object, **more: object):
        said = {"DATA": settings.data, "DATABASE_URL": settings.database_url, **more}
        outside = [name for name in os.environ if name.startswith("GREENWAY_")]
        environment = {f"GREENWAY_{name}": str(value) for name, value in said.items()}
        return CliRunner().invoke(
            server.cli, [str(one) for one in arguments], env=dict.fromkeys(outside) | environment
        )

    return greenway


@pytest.fixture
def within(settings):
    """Do something with what the hub issues and checks with."""

    def within(act):
        async def run():
            hub = server.Hub(settings)
            try:
                await hub.authority.begun()
                return await act(hub.authority)
            finally:
                await hub.close()

        return asyncio.run(run())

    return within


async def a_log(authority) -> None:
    await check.filed(authority, *range(5))
    await ledger.sequence(authority)


def test_the_audit_says_what_it_went_through_and_that_it_found_nothing(greenway, within):
    within(a_log)

    ran = greenway("audit", "verify")

    assert ran.output == "5 checks (0 of erased people), 5 leaves, 1 heads: no findings.\n"
    assert ran.exit_code == 0


def test_the_audit_names_what_was_changed_and_fails(greenway, within):
    async def change(authority) -> None:
        await a_log(authority)
        async with authority.database.begin() as session:
            row = await session.get(Verification, 3)
            row.service = "another"

    within(change)

    ran = greenway("audit", "verify")

    first, last = ran.output.splitlines()
    assert first == "verification 3: `service` is not as `receipt` says"
    assert last.endswith("1 heads: 1 finding.")
    assert ran.exit_code == 1


def test_a_person_is_erased_from_all_checks(greenway, within):
    within(a_log)

    ran = greenway("audit", "erase", "--holder", check.SUBJECT)
    after = greenway("audit", "verify")

    async def subjects(authority):
        async with authority.database.session() as session:
            return (await session.scalars(sa.select(Verification.subject))).all()

    assert ran.output == "Checks that are of nobody now: 5.\n"
    assert "5 checks (5 of erased people)" in after.output
    assert check.SUBJECT not in within(subjects)


def test_a_neighbour_that_is_not_there_is_no_traceback(greenway):
    ran = greenway("audit", "cosign", "http://127.0.0.1:9", EGRESS_ALLOW="127.0.0.0/8")

    assert ran.exit_code == 1
    assert "cannot be asked for its log" in ran.exception.sentence


def test_keys_are_listed_rotated_and_taken_out_of_force(greenway, within):
    listed = greenway("keys", "list").output.splitlines()
    rotated = greenway("keys", "rotate", "CARD").output
    again = greenway("keys", "rotate", "CARD").output
    lost = next(line.split()[1].rstrip(":") for line in listed if line.startswith("CARD"))
    compromised = greenway("keys", "compromise", lost)
    after = greenway("keys", "list").output

    assert [line.split()[0] for line in listed] == sorted(Purpose)
    assert "signs from" in rotated
    assert again == rotated
    assert compromised.exit_code == 0
    assert f"CARD {lost}: compromised" in after
    assert after.count("CARD ") == 3, "the lost one, its successor, and one that signs at once"
    assert greenway("keys", "compromise", "x").exit_code == 1


def test_keys_of_a_store_are_made_for_it_and_changed_there(greenway, tmp_path):
    made = [greenway("keys", "rotate", purpose, KEYS_URL="file:///x").output for purpose in Purpose]
    keys = [json.loads(one) for one in made]
    for one in keys:  # They sign at once, as a first set must.
        one["signs_from"] = one["published_at"]
    store = tmp_path / "signing keys.json"
    store.write_text(json.dumps({"keys": keys}))
    url = f"file://{tmp_path}/signing%20keys.json"

    listed = greenway("keys", "list", KEYS_URL=url).output
    refused = greenway("keys", "compromise", keys[0]["kid"], KEYS_URL=url)

    assert {one["kid"] for one in keys} == {
        line.split()[1].rstrip(":") for line in listed.splitlines()
    }
    assert refused.exit_code == 1
    assert "GREENWAY_KEYS_URL" in refused.exception.sentence


@pytest.mark.parametrize("url", ["http://x.example/keys", "file://host/x", "x", "file:///none"])
def test_a_store_that_is_none_is_refused(greenway, url):
    ran = greenway("keys", "list", KEYS_URL=url)

    assert ran.exit_code == 1
    assert "GREENWAY_KEYS_URL" in ran.exception.sentence


def test_a_district_is_trusted_listed_and_removed(greenway, tmp_path, within):
    async def jwks(authority):
        return authority.keys.ring.jwks(authority.clock())

    file = tmp_path / "putuo.json"
    said = {
        "issuer": check.NEIGHBOUR,
        "district": "putuo",
        "jwks": within(jwks),
        "vcts": [f"{check.NEIGHBOUR}/vct/talent-card/1"],
        "services": ["film-tickets"],
        "from": "2020-01-01",
        "until": "2099-01-01",
    }
    file.write_text(json.dumps(said))

    trusted = greenway("districts", "trust", file)
    listed = greenway("districts", "list").output
    removed = greenway("districts", "remove", check.NEIGHBOUR)
    again = greenway("districts", "remove", check.NEIGHBOUR)

    assert trusted.output == f"Cards of {check.NEIGHBOUR} count.\n"
    assert listed.startswith(f"{check.NEIGHBOUR}: putuo, {len(Purpose)} keys, 2020-01-01 to")
    assert removed.exit_code == 0
    assert again.exit_code == 1
    assert greenway("districts", "list").output == ""


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"issuer": 1}'])
def test_a_file_that_holds_no_agreement_is_refused(greenway, tmp_path, text):
    file = tmp_path / "agreement.json"
    file.write_text(text)

    ran = greenway("districts", "trust", file)

    assert ran.exit_code == 1
    assert ran.exception.sentence
