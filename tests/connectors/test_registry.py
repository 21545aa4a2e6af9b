import asyncio
import gc
import importlib
import subprocess
import sys
import weakref
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest

from connectors import base, errors, partner, registry
from models import errors as models_errors
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
    async with loopback.client() as client:

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

    async with loopback.client() as client:
        found = registry.Registry.load([write.folder], client, {}, SECRETS, lambda: DAY)

    assert (found.partners, found.set_aside) == ({}, {})


async def test_a_partner_of_a_system_the_sandbox_lacks_is_set_aside(write, load):
    write("good-hospital")

    async with loopback.client() as client:
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


# ── registries, one after another ────────────────────────────────────────────────────────────


@pytest.fixture
async def workshop():
    """Make partners of files, as the hub does; its client and its kinds are at hand."""
    async with loopback.client() as client:
        made = registry.Workshop(
            client, {"hospital": "http://127.0.0.1:1"}, SECRETS, lambda: DAY, deadline_seconds=-60
        )
        made.client = client
        yield made


def build(workshop, wanted, wrong=None):
    files = [one for some in wanted.values() for one in (some.in_force, some.on_trial) if one]
    for file in files:
        workshop.checked([file])
    return workshop.registry(wanted, wrong or {})


def of(slug, text):
    return registry.File(slug, text, f"{slug}.yaml")


def hospital(slug, name="Loopback Hospital", more=""):
    return of(slug, PARTNER.format(slug=slug, name=name, key="loopback-key") + more)


TRIED = "rollout: {percent: 40}\n"


async def test_what_is_as_it_was_is_taken_over_and_what_is_not_is_made_anew(workshop):
    first = build(
        workshop, {slug: registry.Wanted(hospital(slug)) for slug in ("a-clinic", "b-clinic")}
    )
    second = build(
        workshop,
        {
            "a-clinic": registry.Wanted(hospital("a-clinic")),
            "b-clinic": registry.Wanted(hospital("b-clinic", "Another")),
        },
    )

    assert second.partners["a-clinic"] is first.partners["a-clinic"]
    assert second.partners["b-clinic"] is not first.partners["b-clinic"]
    # A query that began with the first goes on with it.
    assert first.partners["b-clinic"].manifest.name.root["en"] == "Loopback Hospital"


async def test_what_is_asked_no_more_is_closed_once_nobody_can_ask(workshop):
    build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic"))})
    build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic", "Another"))})
    before = len(workshop.client._partners)
    await workshop.drain()

    assert before == 2
    assert len(workshop.client._partners) == 1


async def test_nothing_is_left_of_what_was_replaced(workshop):
    first = build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic"))})
    gone = weakref.ref(first.partners["a-clinic"])
    del first
    build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic", "Another"))})
    await workshop.drain()
    gc.collect()

    assert gone() is None


async def test_who_may_still_be_asked_is_not_closed(workshop):
    workshop._deadline_seconds = 60
    build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic"))})
    build(workshop, {})
    await workshop.drain()

    assert len(workshop.client._partners) == 1


async def test_a_query_keeps_to_one_file_of_a_partner_on_trial(workshop):
    wanted = registry.Wanted(hospital("a-clinic"), hospital("a-clinic", "New", TRIED))
    found = build(workshop, {"a-clinic": wanted})

    begun = [found.begun() for _ in range(100)]
    names = [one.partners["a-clinic"].manifest.name.root["en"] for one in begun]

    assert names.count("New") == 40
    assert all(one.partners["a-clinic"] is one.partners["a-clinic"] for one in begun)
    assert {one.in_force["a-clinic"] for one in begun} == {found.partners["a-clinic"]}


async def test_a_trial_goes_on_while_other_files_change_and_its_breaker_outlives_it(workshop):
    wanted = registry.Wanted(hospital("a-clinic"), hospital("a-clinic", "New", TRIED))
    first = build(workshop, {"a-clinic": wanted})
    second = build(
        workshop, {"a-clinic": wanted, "b-clinic": registry.Wanted(hospital("b-clinic"))}
    )
    tried = second.candidates["a-clinic"]
    promoted = build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic", "New", TRIED))})

    assert tried is first.candidates["a-clinic"]
    assert promoted.candidates == {}
    assert promoted.partners["a-clinic"]._connector is tried._connector


async def test_a_newcomer_takes_no_fact_from_who_supplies_it(workshop):
    later = of("b-school", SUPPLIES.format(slug="b-school"))
    earlier = of("a-school", SUPPLIES.format(slug="a-school"))
    build(workshop, {"b-school": registry.Wanted(later)})

    found = build(
        workshop, {"a-school": registry.Wanted(earlier), "b-school": registry.Wanted(later)}
    )

    assert list(found.partners) == ["b-school"]
    assert list(found.set_aside) == ["a-school"]


async def test_the_mistakes_of_a_newer_file_stand_beside_the_one_that_goes_on(workshop):
    wrong = {"a-clinic": (models_errors.Mistake("a-clinic.yaml", 1, "kind", "No such kind."),)}

    found = build(workshop, {"a-clinic": registry.Wanted(hospital("a-clinic"))}, wrong)

    assert (dict(found.set_aside), dict(found.refused)) == ({}, wrong)


async def test_examples_that_do_not_hold_are_mistakes_at_their_place(workshop):
    spoilt = PARTNER.replace("PARTNER_UNWELL", "PARTNER_BUSY")
    file = of("a-clinic", spoilt.format(slug="a-clinic", name="A", key="loopback-key"))
    workshop.checked([file])

    found = await workshop.disproved([file])

    (mistake,) = found["a-clinic"]
    assert (mistake.path, mistake.line) == ("examples[0]", 11)
    assert mistake.sentence == "The example “busy” does not hold."


# ── folders ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def watch(write):
    return registry.Watch([write.folder, write.folder.parent / "more"])


def test_a_folder_that_is_as_it_was_gives_the_same(write, watch):
    write("good-hospital")

    first, second = watch.look(), watch.look()

    assert list(first) == ["good-hospital"]
    assert second is first


def test_a_change_counts_once_it_has_stood_still(write, watch):
    write("good-hospital")
    watch.look()
    write("good-hospital", name="Half")
    changing = watch.look()
    write("good-hospital", name="Whole and well")
    still_changing = watch.look()
    changed = watch.look()

    assert "Loopback" in changing["good-hospital"].text
    assert "Loopback" in still_changing["good-hospital"].text
    assert "Whole and well" in changed["good-hospital"].text


def test_files_come_and_go_and_the_last_folders_counts(write, watch):
    path = write("good-hospital")
    write("other-hospital", name="Ours")
    watch.look()
    path.unlink()
    write("other-hospital", name="Theirs", folder="more")
    watch.look()
    found = watch.look()

    assert list(found) == ["other-hospital"]
    assert "Theirs" in found["other-hospital"].text


def test_a_folder_that_is_away_changes_nothing(write, watch):
    write("good-hospital")
    first = watch.look()
    write.folder.rename(write.folder.parent / "away")
    watch.look()

    assert watch.look() is first


def test_a_file_that_cannot_be_read_has_a_mistake_and_no_text(write):
    path = write("good-hospital")
    path.write_bytes(b"\xff\xfe")

    found = registry.File.at(path)

    assert found.text == ""
    assert [one.sentence for one in found.mistakes] == ["This file is not UTF-8 text."]


# ── kinds of others ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def installed(package, monkeypatch):
    """Install a package that gives these entry points, by name, for kinds."""

    def installed(points, **modules):
        package(**modules)
        found = [
            metadata.EntryPoint(name, module, registry.FURTHER_KINDS)
            for name, module in points.items()
        ]
        monkeypatch.setattr(
            registry.metadata, "entry_points", lambda *, group: found if group else []
        )

    return installed


def test_an_installed_package_may_give_further_kinds(installed):
    installed({"museum": "loopback_kinds.museum"}, museum=WHOLE.format(name="M", slug="museum"))

    found = registry.kinds()

    assert found["museum"].__module__ == "loopback_kinds.museum"
    assert "hospital" in found


@pytest.mark.parametrize("name", ["museums", "hospital"])
def test_a_further_kind_is_called_as_its_slug_and_as_no_other_kind(installed, name):
    installed({name: "loopback_kinds.museum"}, museum=WHOLE.format(name="M", slug="museum"))

    with pytest.raises(errors.KindError, match=r"loopback_kinds\.museum"):
        registry.kinds()


# ── many of one kind ─────────────────────────────────────────────────────────────────────────

MANY = """
import asyncio, resource, sys, time
from pathlib import Path
from datetime import UTC, datetime
from connectors import http, registry

async def main(folder):
    async with http.HTTPClient() as client:
        hospital = {"hospital": "http://127.0.0.1:1"}
        secrets = {"loopback-key": "s"}
        workshop = registry.Workshop(client, hospital, secrets, lambda: datetime.now(UTC))
        workshop.load([folder / "one"])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        found = workshop.load([folder / "one", folder / "partners"])
        took = time.monotonic() - began
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(len(found.partners), len(found.set_aside), took, more)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_fifty_partners_of_one_kind_take_little_and_a_broken_one_leaves_the_others(write):
    write("first-hospital", folder="one")
    for place in range(49):
        write(f"hospital-{place}")
    write("broken-hospital").write_text("slug: [", encoding="utf-8")

    told = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", MANY, str(write.folder.parent)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    partners, set_aside, seconds, kilobytes = map(float, told.stdout.split())
    assert (partners, set_aside) == (50, 1)
    assert seconds <= 10
    assert kilobytes <= 60_000
