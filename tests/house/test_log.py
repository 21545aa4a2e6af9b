"""The log never learns who a person is, nor what opens a door."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from models import demo, talent
from sandbox import secret
from sandbox.fault import Fault, Mode

ROOT = Path(__file__).parents[2]
LAYERS = (
    *("commands", "endpoints", "schema", "resolvers", "connectors"),
    *("eligibility", "credentials", "models"),
)
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
PRIVATE = {
    "authorization", "bearer", "birth_date", "claims", "handle", "name", "name_latin", "number",
    "parameters", "params", "person", "presented", "secret", "serial", "subject", "token",
    "variables", "viewer",
}  # fmt: skip
SOURCES = [
    ROOT / "server.py",
    ROOT / "settings.py",
    *(path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))),
]


def log_calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=method)):
                if method in METHODS:
                    yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_log_call_is_given_what_is_private(path):
    for call in log_calls(path):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        words = {
            inner.id if isinstance(inner, ast.Name) else inner.attr
            for one in given
            for inner in ast.walk(one)
            if isinstance(inner, ast.Name | ast.Attribute)
        }
        assert not words & PRIVATE, f"{path.name}:{call.lineno}"


def test_log_calls_are_found_where_they_are():
    assert sum(1 for path in SOURCES for _ in log_calls(path)) >= 8


@pytest.mark.any_database
@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_query_that_fails_inside_tells_the_log_nothing_of_the_person(
    hub, ask, caplog, spoiled
):
    caplog.set_level(logging.DEBUG, logger="greenway")
    name, serial = (await ask("{ me { name card { serial } } }")).json()["data"]["me"].values()
    bearer = hub.bearer("holder")["authorization"].removeprefix("Bearer ")

    await spoiled("redemption")
    failed = await ask("{ me { name card { serial areas { unitsLeft } } } }")
    await spoiled("name_token")
    searched = await ask(
        "query Find($t: String) { talents(filter: {text: $t}) { totalCount } }",
        {"t": name},
        viewer="officer",
    )

    assert failed.codes == ["INTERNAL"]
    assert searched.codes == ["INTERNAL"]
    assert caplog.text.count("internal error, reference") == 2
    private = [name, serial["serial"], bearer, demo.handle(demo.RETURNEE), "Tan Dengyue"]
    assert [one for one in private if one in caplog.text] == []


@pytest.fixture
def spoiled(hub):
    """Take a table away behind the hub's back."""

    async def spoiled(table: str) -> None:
        async with hub.hub.database.begin() as session:
            await session.execute(sa.text(f"DROP TABLE {table}"))

    return spoiled


@pytest.mark.any_database
@pytest.mark.viewer("holder", demo.PILOT)
async def test_partners_that_fail_tell_the_log_no_secret(hub, ask, caplog, systems):
    caplog.set_level(logging.DEBUG, logger="greenway")
    for mode in (Mode.NONE, Mode.UNAUTHORIZED, Mode.HTML, Mode.DOWN):
        for one in systems.values():
            await one.inject(Fault(mode))
        hub.clock.pass_seconds(60)
        await ask("{ menu(first: 100) { nodes { offers { pages { freshness } } } } }")

    assert "greenway.connectors" in caplog.text
    assert [one for one in secret.VALUES.values() if one in caplog.text] == []


@pytest.mark.any_database
async def test_a_bad_token_is_not_logged(hub, ask, caplog):
    caplog.set_level(logging.DEBUG, logger="greenway")

    answer = await ask(
        "{ areas { code } }", headers={"authorization": "Bearer c4n4ry.c4n4ry.c4n4ry"}
    )

    assert answer.status == 401
    assert "c4n4ry" not in caplog.text
    assert b"c4n4ry" not in answer.body


def test_people_do_not_show_themselves_in_tracebacks():
    assert "Quill" not in repr(talent.Talent(name="Quill Emberwick", handle="h"))
