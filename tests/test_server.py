from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import schema
import server
from credentials import token
from models import demo, errors
from models.database import Database
from sandbox.fault import Fault, Mode
from settings import Settings
from tests import asgi
from tests import hub as standing
from tests import port as ports

ROOT = Path(__file__).parents[1]


@pytest.fixture
def greenway(tmp_path):
    """Run the command line in an environment of its own; an error of ours is its sentence."""

    def greenway(*arguments: str, **settings: str):
        environment = {"DATA": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", **settings}
        outside = [name for name in os.environ if name.startswith("GREENWAY_")]
        return CliRunner().invoke(
            server.cli,
            arguments,
            env=dict.fromkeys(outside)
            | {f"GREENWAY_{name}": str(value) for name, value in environment.items()},
        )

    return greenway


@pytest.mark.any_database
async def test_the_process_lives_whatever_else(hub):
    answer = await asgi.call(hub.app, path="/healthz")

    assert (answer.status, answer.json()) == (200, {"alive": True})


@pytest.mark.any_database
async def test_the_hub_is_ready_with_a_database_and_a_menu_and_says_what_is_missing(
    hub, tmp_path, systems, clock
):
    empty = standing.Standing.over(tmp_path, f"sqlite:///{tmp_path}/empty.db", systems, clock)
    await empty.hub.database.upgrade()
    nowhere = standing.Standing.over(tmp_path, "postgresql://u@127.0.0.1:1/d", systems, clock)
    hub.hub.catalogue = None  # as each process begins

    before = await asgi.call(hub.app, path="/readyz")
    await hub.ask("{ edition { revision } }")
    ready = await asgi.call(hub.app, path="/readyz")
    without_menu = await asgi.call(empty.app, path="/readyz")
    without_database = await asgi.call(nowhere.app, path="/readyz")

    assert (before.status, before.json()["why"]) == (503, "menu")
    assert (ready.status, ready.json()) == (200, {"ready": True, "menu": 1})
    assert (without_menu.status, without_menu.json()["why"]) == (503, "menu")
    assert (without_database.status, without_database.json()["why"]) == (503, "database")
    await empty.hub.close()
    await nowhere.hub.close()


async def ready(hub) -> tuple[int, str | None]:
    answer = await asgi.call(hub.app, path="/readyz")
    return answer.status, answer.json().get("why")


@pytest.mark.any_database
async def test_a_hub_whose_database_is_older_than_its_code_is_not_ready(hub):
    await hub.ask("{ edition { revision } }")

    async with hub.hub.database.begin() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))

    assert await ready(hub) == (503, "migrations")


@pytest.mark.any_database
async def test_a_hub_that_is_about_to_end_asks_to_be_sent_nothing_new(hub):
    await hub.ask("{ edition { revision } }")
    hub.hub.drain()

    assert await ready(hub) == (503, "draining")
    assert (await hub.ask("{ areas { code } }")).status == 200


@pytest.mark.any_database
async def test_a_hub_is_ready_whatever_its_partners_are(hub, systems):
    await hub.ask("{ edition { revision } }")

    for one in systems.values():
        await one.inject(Fault(Mode.DOWN))

    assert await ready(hub) == (200, None)


async def test_a_database_that_goes_and_comes_back_takes_readiness_with_it(stand, away):
    hub = stand(database_url=away.url)
    await hub.ask("{ edition { revision } }")

    before = await ready(hub)
    await away.go()
    without = await ready(hub)
    alive = await asgi.call(hub.app, path="/healthz")
    await away.come_back()
    # Of the connections that were lost, the first ask finds out.
    await ready(hub)
    after = await ready(hub)
    answer = await hub.ask("{ areas { code } }")

    assert (before, without, after) == ((200, None), (503, "database"), (200, None))
    assert (alive.status, answer.status) == (200, 200)


@pytest.fixture
async def away(kind, furnished_url, tmp_path):
    """A database that can be taken away: SQLite's file, or the way to PostgreSQL."""
    if kind == "sqlite":
        yield _File(furnished_url)
        return
    relay = await _Relay.to(furnished_url)
    yield relay
    await relay.go()
    shutil.rmtree(relay.folder)


class _File:
    """A database of SQLite: it is moved."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._path = url.removeprefix("sqlite:///")

    async def go(self) -> None:
        shutil.move(self._path, f"{self._path}.away")

    async def come_back(self) -> None:
        shutil.move(f"{self._path}.away", self._path)


class _Relay:
    """A socket file that leads to PostgreSQL's, while it listens."""

    def __init__(self, url: str, folder: str, behind: str) -> None:
        self.url = url
        self.folder = folder
        self._behind = behind
        self._open: set[asyncio.StreamWriter] = set()

    @classmethod
    async def to(cls, url: str) -> _Relay:
        address = sa.make_url(url)
        folder = tempfile.mkdtemp(prefix="greenway-")  # its path is short
        behind = f"{address.query['host']}/.s.PGSQL.5432"
        there = address.set(query={**address.query, "host": folder})
        found = cls(there.render_as_string(hide_password=False), folder, behind)
        await found.come_back()
        return found

    async def come_back(self) -> None:
        self._server = await asyncio.start_unix_server(self._carry, f"{self.folder}/.s.PGSQL.5432")

    async def go(self) -> None:
        self._server.close()
        for one in self._open:
            one.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_behind, to_behind = await asyncio.open_unix_connection(self._behind)
        self._open |= {writer, to_behind}
        await asyncio.gather(_copy(reader, to_behind), _copy(from_behind, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.mark.any_database
async def test_before_a_menu_is_published_queries_are_told_so(tmp_path, systems, clock):
    empty = standing.Standing.over(tmp_path, f"sqlite:///{tmp_path}/empty.db", systems, clock)
    await empty.hub.database.upgrade()

    answer = await empty.ask("{ areas { code } }")

    assert answer.status == 503
    assert answer.codes == ["MENU_MISSING"]
    await empty.hub.close()


@pytest.mark.any_database
@pytest.mark.viewer("holder", demo.PILOT)
async def test_metrics_count_each_partners_calls(hub, ask):
    await ask(
        '{ service(code: "film-tickets") { ... on Service { offers { pages { freshness } } } } }'
    )

    text = (await asgi.call(hub.app, path="/metrics")).body.decode()

    assert 'greenway_partner_calls_total{partner="hongqiao-cinema"} 1.0' in text
    assert 'greenway_partner_failures_total{partner="hongqiao-cinema"} 0.0' in text
    assert 'greenway_partner_breaker{partner="xinhua-bank",state="CLOSED"} 1.0' in text
    assert "greenway_partners_set_aside 0.0" in text


@pytest.mark.any_database
async def test_the_door_leads_to_the_graph(hub):
    answer = await asgi.call(hub.app, path="/")

    assert answer.headers["location"] == "/graphql"


@pytest.mark.any_database
async def test_introspection_and_the_editor_can_be_switched_off(stand):
    closed = stand(introspection=False, ide=False)

    asked = await closed.ask("{ __schema { types { name } } }")
    browsed = await asgi.call(closed.app, headers={"accept": "text/html"})

    assert set(asked.codes) == {"GRAPHQL_VALIDATION_FAILED"}
    assert b"<html" not in browsed.body


@pytest.mark.any_database
async def test_a_menu_that_cannot_be_refreshed_stays_in_force(hub, caplog):
    async with asgi.alive(hub.app):
        await hub.ask("{ edition { revision } }")
        revision = hub.hub.catalogue.revision
        async with hub.hub.database.begin() as session:
            await session.execute(sa.text("DROP TABLE menu_revision"))

        async with asyncio.timeout(10):
            while "could not be refreshed" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.05)
        answer = await hub.ask("{ edition { revision } }")

        assert answer.json()["data"]["edition"]["revision"] == revision


async def test_demo_data_are_made_once_and_anew_when_asked_for(tmp_path):
    settings = Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path}/hub.db", demo=True)

    async def people() -> int:
        database = Database(settings.database_url)
        async with database.session() as session:
            found = await session.scalar(sa.text("SELECT count(*) FROM talent"))
        await database.close()
        return found

    await server.prepare(settings, 12)
    at_first = await people()
    await server.prepare(settings)
    again = await people()
    await server.prepare(settings, 7)

    assert (at_first, again, await people()) == (12, 12, 7)


def test_a_token_is_printed_in_demo_mode_alone(greenway):
    printed = greenway("token", "holder", "--person", "2", DEMO=1)
    refused = greenway("token", "holder")

    assert printed.exit_code == 0
    assert printed.output.count(".") == 2
    assert refused.exit_code != 0
    assert "demo mode" in str(refused.exception)


def test_demo_people_are_made_in_demo_mode_alone(greenway, tmp_path):
    refused = greenway("demo", "--people", "3")

    assert refused.exit_code != 0
    assert not (tmp_path / "hub.db").exists()


async def test_the_standing_is_gathered_by_one_process_at_a_time(tmp_path):
    url = f"sqlite:///{tmp_path}/hub.db"
    await server.prepare(Settings(data=tmp_path, database_url=url, demo=True), 12)
    said = {"GREENWAY_DATA": str(tmp_path), "GREENWAY_DATABASE_URL": url}

    async def gather() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "standing", "--on", "2026-11-22"),
            cwd=ROOT,
            env={**os.environ, **said},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        return process.returncode, (out + error).decode()

    with (tmp_path / "standing.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = await gather()
    made = await gather()

    assert refused[0] == 1
    assert refused[1].startswith("Another process gathers it already.")
    assert made[0] == 0
    assert made[1].startswith("The standing of 12 people on 2026-11-22 is there, after ")


def test_the_schema_is_printed_as_it_is_on_disk(greenway):
    assert greenway("schema").output == schema.SDL.read_text(encoding="utf-8")


def test_a_help_is_printed_whatever_the_settings_are(greenway):
    helps = [greenway(noun, "--help", PORT="none") for noun in ("menu", "connectors")]
    refused = greenway("menu", "check", PORT="none")

    assert [one.exit_code for one in helps] == [0, 0]
    assert isinstance(refused.exception, errors.HubError)


def test_partner_files_are_checked_with_every_mistake_told(greenway, tmp_path):
    whole = greenway("connectors", "check")
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "new-bank.yaml").write_text("slug: other\nkin: bank\n")

    broken = greenway("connectors", "check", PARTNERS=tmp_path / "partners")
    listed = greenway("connectors", "list", PARTNERS=tmp_path / "partners", DEMO=1)

    assert whole.exit_code == 0, whole.output
    assert "9 partner files, 0 mistakes." in whole.output
    assert broken.exit_code == 1
    assert "“kin”" in broken.output
    assert "new-bank" in listed.output
    assert "set aside" in listed.output


def test_a_partner_without_its_secret_is_set_aside_outside_demo_mode(greenway, tmp_path):
    text = (ROOT / "connectors" / "partners" / "hongqiao-cinema.yaml").read_text(encoding="utf-8")
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "hongqiao-cinema.yaml").write_text(
        text.replace("address: sandbox:cinema/", "address: https://cinema.example/"),
        encoding="utf-8",
    )

    without = greenway("connectors", "list", PARTNERS=tmp_path / "partners")
    secret = {"SECRET_HONGQIAO_CINEMA_TOKEN": "t"}
    given = greenway("connectors", "list", PARTNERS=tmp_path / "partners", **secret)

    assert "set aside" in without.output
    assert "at work" in given.output


def test_the_key_of_peoples_names_is_no_secret_of_a_partner_file(greenway, tmp_path):
    text = (ROOT / "connectors" / "partners" / "hongqiao-cinema.yaml").read_text(encoding="utf-8")
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "hongqiao-cinema.yaml").write_text(
        text.replace("hongqiao-cinema-token", "pairwise"), encoding="utf-8"
    )
    key = {"SECRET_PAIRWISE": "k" * 32}

    listed = greenway("connectors", "list", PARTNERS=tmp_path / "partners", DEMO=1, **key)

    (line,) = (one for one in listed.output.splitlines() if one.startswith("hongqiao-cinema"))
    assert "set aside" in line


def test_a_key_of_peoples_names_that_might_be_guessed_is_refused(tmp_path):
    with pytest.raises(errors.HubError, match="GREENWAY_SECRET_PAIRWISE has 31 characters"):
        server.Hub(Settings(data=tmp_path, secrets={"pairwise": "k" * 31}))


def test_a_network_that_is_none_is_refused(tmp_path):
    with pytest.raises(errors.HubError, match=r"GREENWAY_EGRESS_ALLOW: 'bank\.example'"):
        server.Hub(Settings(data=tmp_path, egress_allow="bank.example"))


def test_the_menu_is_checked_and_published_once(greenway):
    assert greenway("migrate").exit_code == 0

    first, again = greenway("menu", "publish"), greenway("menu", "publish")

    assert first.output == "Revision 1 is published.\n"
    assert again.output == "Revision 1 was in force already.\n"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("ended_by", "processes"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGTERM, 2)]
)
async def test_one_command_starts_everything_and_one_signal_ends_it(
    furnished_url, tmp_path, ended_by, processes
):
    port, sandbox, *systems = ports.free(6)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "server.py",
        "serve",
        cwd=ROOT,
        env={
            **os.environ,
            "GREENWAY_DEMO": "1",
            "GREENWAY_PORT": str(port),
            "GREENWAY_PROCESSES": str(processes),
            "GREENWAY_SANDBOX_PORT": str(sandbox),
            "GREENWAY_DATA": str(tmp_path),
            "GREENWAY_DATABASE_URL": furnished_url,
        },
        stdout=asyncio.subprocess.PIPE,
    )

    def asked(token: str):
        body = json.dumps(
            {
                "query": """{ me { name } service(code: "film-tickets") { ... on Service {
                  offers { pages { freshness } } } } }"""
            }
        )
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            body.encode(),
            {"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own address
            return json.load(answer)["data"]

    def tellers() -> set[str]:
        url = f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(url) as answer:
            return set(re.findall(r'process="(\d+)"', answer.read().decode()))

    try:
        async with asyncio.timeout(60):
            lines = []
            while not any("Ctrl-C" in line for line in lines):
                line = await process.stdout.readline()
                assert line, "it ended before it was ready"
                lines.append(line.decode())
        token = next(line.strip() for line in lines if line.strip().startswith("eyJ"))
        data = await asyncio.to_thread(asked, token)
        told = await asyncio.to_thread(tellers)
    finally:
        process.send_signal(ended_by)
        async with asyncio.timeout(15):
            await process.wait()

    assert data["me"] == {"name": "檀灯月"}
    assert len(told) == (processes if processes > 1 else 0)
    pages = data["service"]["offers"]["pages"]
    assert {one["freshness"] for one in pages} == {"LIVE"}
    for one in (port, sandbox, *systems):
        with socket.socket() as again:
            assert again.connect_ex(("127.0.0.1", one)) != 0


async def _publish(settings: Settings) -> None:
    await server.prepare(settings, 30, lambda: standing.NOW)


def test_a_change_of_the_menu_folder_is_previewed(greenway, tmp_path):
    folder = shutil.copytree(ROOT / "menu", tmp_path / "menu")
    database = f"sqlite:///{tmp_path}/hub.db"
    asyncio.run(_publish(Settings(data=tmp_path, database_url=database, demo=True)))
    path = folder / "services" / "talent-apartment.yaml"
    text = path.read_text(encoding="utf-8")

    same = greenway("menu", "preview", MENU=folder)
    path.write_text(text.replace("less_than: 12", "less_than: 24"), encoding="utf-8")
    told, as_json = (greenway("menu", "preview", *more, MENU=folder) for more in ((), ("--json",)))
    path.write_text(text.replace("less_than: 12", "less_then: 24"), encoding="utf-8")
    refused = greenway("menu", "preview", MENU=folder)

    assert "would change: 0" in same.output
    assert "talent-apartment" in told.output
    assert "becomes unknown" in told.output
    [one] = json.loads(as_json.output)["services"]
    assert (one["service"], one["tally"]["people"]) == ("talent-apartment", 30)
    assert "less_than" in str(refused.exception)


def test_a_hub_never_holds_what_a_whole_population_takes():
    loaded = "import sys, server; server.application; print('polars' in sys.modules)"

    found = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert found.stdout == "False\n"


def registered(greenway, *more, **changes):
    said = {
        "name": "Quill Cinema", "contact": "privacy@quill-cinema.example", "kind": "CINEMA",
        "tier": "1", "scope": "verify:code", "service": "film-tickets", **changes,
    }  # fmt: skip
    options = [word for name, value in said.items() for word in (f"--{name}", value)]
    return greenway("verifier", "register", "quill-cinema", *options, *more)


def test_operators_register_verifiers_and_give_them_keys(greenway, tmp_path):
    greenway("migrate")
    greenway("menu", "publish")
    jwk = tmp_path / "public.json"
    jwk.write_text(json.dumps(token.new_key().as_dict(private=False)), encoding="utf-8")

    assert registered(greenway, "--scope", "redeem").output == "quill-cinema is registered.\n"
    live, test = (greenway("verifier", "key", "quill-cinema", *one) for one in ((), ("--test",)))
    signing = greenway("verifier", "key", "quill-cinema", "--jwk", str(jwk))
    name = live.output.split("_")[2]
    ended = greenway("verifier", "end-key", "quill-cinema", name)
    suspended = greenway("verifier", "suspend", "quill-cinema")
    listed = greenway("verifier", "list").output
    greenway("verifier", "resume", "quill-cinema")

    assert live.output.startswith("tck_live_")
    assert test.output.startswith("tck_test_")
    assert (signing.exit_code, ended.exit_code, suspended.exit_code) == (0, 0, 0)
    assert "quill-cinema: Quill Cinema, CINEMA, suspended, verify:code redeem" in listed
    assert name not in listed
    assert f"{test.output.split('_')[2]}, for test cards" in listed
    assert "tier 1" in greenway("verifier", "list").output


def test_a_verifier_that_cannot_be_is_not_registered(greenway, tmp_path):
    greenway("migrate")
    greenway("menu", "publish")
    (tmp_path / "no-key").write_text("{}", encoding="utf-8")
    registered(greenway)

    wrong = [
        registered(greenway),
        registered(greenway, scope="disclose:patient"),
        registered(greenway, service="film-ticket"),
        greenway("verifier", "key", "quill-cinema", "--jwk", str(tmp_path / "no-key")),
        greenway("verifier", "key", "quill-cinema", "--cert", str(tmp_path / "no-key")),
        greenway("verifier", "key", "quill-cinema", "--jwk", str(tmp_path / "missing")),
        greenway("verifier", "suspend", "quil-cinema"),
    ]

    assert [type(one.exception).__name__ for one in wrong] == [
        *("CodeTakenError", "NotGrantableError", "UnknownCodeError", "BadKeyError"),
        *("NotGenuineError", "HubError", "UnknownCodeError"),
    ]


def test_the_demo_has_a_till_whose_key_stays_the_same(greenway):
    first, again = (
        greenway("demo", "--people", "6", DEMO=1),
        greenway("demo", "--people", "6", DEMO=1),
    )
    listed = greenway("verifier", "list").output

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert listed.count("API_KEY") == 1
    assert all(one.code in listed for one in demo.VERIFIERS)
    assert all("(demo)" in line for line in listed.splitlines() if not line.startswith(" "))


def test_what_a_hub_can_do_without_is_not_loaded_into_its_memory(tmp_path):
    unwanted = {"alembic", "redis", "opentelemetry", "polars", "icalendar", "sandbox.system"}
    said = f"""
import sys, server, settings
hub = server.Hub(settings.read({{"GREENWAY_DATA": {str(tmp_path)!r}}}))
server.app(hub)
print(*{unwanted!r}.intersection(sys.modules))
"""

    loaded = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-c", said], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout

    assert loaded.split() == []
