import asyncio
import importlib
import sys
from datetime import UTC, datetime

import pytest

from connectors import __main__ as shell
from connectors import base, errors, http, partner, registry
from models import offer
from tests import partner as loopback

DAY = datetime(2026, 11, 22, tzinfo=UTC)
SECRETS = {"loopback-key": "s3cret"}

PARTNER = """\
slug: {slug}
kind: hospital
name: {{en: "{name}"}}
owner: Connector team
about: {{en: Appointments.}}
documentation: docs/connecting.md#hospital
district: changning
address: sandbox:hospital/
credentials: {{header: {{name: X-Api-Key, secret: {key}}}}}
examples:
  - name: busy
    inquiries:
      - capability: appointment
        topic: dental
        since: 2026-11-23T00:00:00+08:00
        until: 2026-11-24T00:00:00+08:00
    replies: [{{path: Slot, status: 503, body: ""}}]
    problem: PARTNER_UNWELL
"""


@pytest.fixture
def write(tmp_path):
    def write(slug, *, name="Loopback Hospital", key="loopback-key", folder="partners"):
        path = tmp_path / folder / f"{slug}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PARTNER.format(slug=slug, name=name, key=key), encoding="utf-8")
        return path

    write.folder = tmp_path / "partners"
    return write


@pytest.fixture
async def load():
    async with http.HTTPClient() as client:

        def load(*folders, address="http://127.0.0.1:1", **settings):
            return registry.Registry.load(
                folders, client, {"hospital": address}, SECRETS, lambda: DAY, **settings
            )

        yield load


def inquiry():
    return base.Inquiry(offer.Capability.APPOINTMENT, "dental", DAY, DAY)


async def test_every_good_file_is_a_partner_and_a_bad_one_is_set_aside_alone_and_loudly(
    write, load, caplog
):
    write("good-hospital")
    write("keyless-hospital", key="lost-key")
    broken = write("broken-hospital")
    broken.write_text("slug: [", encoding="utf-8")
    write("misnamed-hospital").rename(write.folder / "renamed-hospital.yaml")

    found = load(write.folder)

    assert list(found.partners) == ["good-hospital"]
    assert list(found.set_aside) == ["broken-hospital", "keyless-hospital", "renamed-hospital"]
    assert [one.path for one in found.set_aside["keyless-hospital"]] == [
        "credentials.header.secret"
    ]
    for slug in found.set_aside:
        assert slug in caplog.text
    assert "s3cret" not in caplog.text


SUPPLIES = """\
slug: {slug}
kind: school
name: {{en: School}}
owner: Connector team
about: {{en: Places.}}
documentation: docs/connecting.md#school
district: changning
address: https://school.example/
supplies: [children_at_district_school]
examples:
  - name: two children
    about: {{subject: somebody, facts: [children_at_district_school]}}
    replies: [{{path: users, body: ""}}]
    facts: {{children_at_district_school: 2}}
"""


async def test_a_fact_has_one_supplier_and_who_comes_second_is_set_aside(write, load):
    for slug in ("a-school", "b-school"):
        write(slug).write_text(SUPPLIES.format(slug=slug), encoding="utf-8")

    found = load(write.folder)

    assert found.suppliers == {"children_at_district_school": "a-school"}
    (mistake,) = found.set_aside["b-school"]
    assert (mistake.path, mistake.line) == ("supplies[0]", 9)
    assert mistake.sentence == "“a-school” supplies `children_at_district_school` already."


async def test_where_no_sandbox_runs_its_partners_are_left_out(write, load):
    write("good-hospital")

    async with http.HTTPClient() as client:
        found = registry.Registry.load([write.folder], client, {}, SECRETS, lambda: DAY)

    assert (found.partners, found.set_aside) == ({}, {})


async def test_a_partner_of_a_system_the_sandbox_lacks_is_set_aside(write, load):
    write("good-hospital")

    async with http.HTTPClient() as client:
        other = {"library": "http://127.0.0.1:9"}
        found = registry.Registry.load([write.folder], client, other, SECRETS, lambda: DAY)

    assert [one.path for one in found.set_aside["good-hospital"]] == ["address"]


async def test_a_partner_of_the_registry_asks_with_its_secret(write, load):
    write("good-hospital")
    bundle = '{"resourceType": "Bundle", "type": "searchset"}'

    async with loopback.running(loopback.says(bundle)) as hospital:
        found = load(write.folder, address=hospital.url)
        deadline = asyncio.get_running_loop().time() + 2
        answers = await found.partners["good-hospital"].ask([inquiry()], deadline)

    assert [one.freshness for one in answers] == [partner.Freshness.LIVE]
    assert hospital.calls[0].headers["X-Api-Key"] == "s3cret"


async def test_a_hub_full_of_dead_partners_loads_at_once_and_says_so_when_asked(write, load):
    write("good-hospital")

    found = load(write.folder)
    deadline = asyncio.get_running_loop().time() + 2
    (answer,) = await found.partners["good-hospital"].ask([inquiry()], deadline)

    assert answer.problem is errors.Problem.UNREACHABLE


async def test_a_further_folder_adds_partners_and_its_file_counts_before_ours(write, load):
    write("good-hospital", name="Ours")
    write("good-hospital", name="Theirs", folder="more")
    write("other-hospital", folder="more")

    found = load(write.folder, write.folder.parent / "more", write.folder.parent / "missing")

    assert list(found.partners) == ["good-hospital", "other-hospital"]
    assert found.partners["good-hospital"].manifest.name.root["en"] == "Theirs"


async def test_the_hubs_own_partners_hold_no_mistake(load):
    assert registry.check([registry.PARTNERS]) == []
    assert len(registry.files([registry.PARTNERS])) >= 8


def test_every_kind_is_found_by_its_modules_name():
    found = registry.kinds()

    assert set(found) >= {"bank", "hospital", "school", "cinema"}
    assert all(kind.slug == slug for slug, kind in found.items())


WHOLE = """
from connectors import base
class {name}(base.Connector):
    slug = "{slug}"
    async def answer(self, inquiries): ...
"""
ABSTRACT = """
from connectors import base
class Family(base.Connector): ...
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Build a package of kinds from module texts."""
    monkeypatch.syspath_prepend(tmp_path)

    def package(**modules):
        folder = tmp_path / "loopback_kinds"
        folder.mkdir()
        (folder / "__init__.py").touch()
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return importlib.import_module("loopback_kinds")

    yield package
    for name in [one for one in sys.modules if one.startswith("loopback_kinds")]:
        del sys.modules[name]


def test_an_abstract_module_is_passed_over_and_a_slugged_one_found(package):
    found = registry.kinds(package(family=ABSTRACT, museum=WHOLE.format(name="M", slug="museum")))

    assert list(found) == ["museum"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "from connectors.base import Connector",
        WHOLE.format(name="M", slug="musem"),
        WHOLE.format(name="M", slug="museum") + WHOLE.format(name="N", slug="museum"),
        WHOLE.format(name="M", slug="museum").replace("slug", "label"),
    ],
)
def test_a_module_that_is_no_kind_stops_the_hub(package, text):
    with pytest.raises(errors.KindError, match=r"loopback_kinds\.museum"):
        registry.kinds(package(museum=text))


def test_check_says_what_is_wrong_by_its_exit_code(write, capsys):
    write("good-hospital")
    good = shell.main(["check", str(write.folder)])
    write("good-hospital", key="S3CRET")
    bad = shell.main(["check", str(write.folder)])

    assert (good, bad) == (0, 1)
    assert "good-hospital.yaml:9: credentials.header.secret" in capsys.readouterr().out


def test_list_tells_each_partner(write, capsys):
    write("good-hospital")
    write("broken-hospital").write_text("", encoding="utf-8")

    assert shell.main(["list", str(write.folder)]) == 0

    told = capsys.readouterr().out
    assert "Loopback Hospital" in told
    assert "broken-hospital" in told


@pytest.mark.parametrize("arguments", [[], ["judge"]])
def test_an_unknown_command_is_told_how_it_is_used(arguments, capsys):
    assert shell.main(arguments) == 2
    assert "usage" in capsys.readouterr().err
