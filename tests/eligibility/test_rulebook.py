"""All rules of a menu together: what they build on, and one service's rule requiring another's."""

from datetime import date

import pytest

from eligibility import rulebook
from eligibility.condition import Among, Between
from eligibility.rule import Span
from eligibility.tree import Layer, Level
from eligibility.verdict import Outcome
from models import errors, menu, source
from tests import catalogue, factories
from tests.rules import SENTENCE, clause

DAY = date(2026, 11, 22)
CITED = {"source": "hub"}
SAID = {"id": "a", "text": SENTENCE, "reference": "hub"}
NAMED = {"name": SENTENCE, "citation": CITED}
ZONE = {"code": "west", **NAMED, "fact": "district", "values": ["xuhui"], "text": SENTENCE}


def a_table(*versions):
    return {"code": "merit", "name": SENTENCE, "citation": CITED, "versions": list(versions)}


def a_version(*bands, fact="age", **given):
    entry = {"fact": fact, "bands": list(bands)}
    line = {"id": "one", "name": SENTENCE, "most": 20, "entries": [entry]}
    known = {"version": "new", "name": SENTENCE, "since": "2026-01-01", "citation": CITED}
    return {**known, "high": 85, "medium": 60, "lines": [line], **given}


def a_line(*spans):
    values = [{**span, "amount": 1000 + at, "citation": CITED} for at, span in enumerate(spans)]
    return {"code": "class-b", "name": SENTENCE, "citation": CITED, "values": values}


SHAPES = {
    "points": menu.PointsTable,
    "pay_lines": menu.PayLine,
    "zones": menu.Zone,
    "city_rules": menu.CityRule,
    "documents": menu.DocumentKind,
}


def read(services=None, **lists):
    """Return the rulebook of these lists and rules, and where it is wrong, and how."""
    shaped = {
        name: [shape.model_validate(one) for one in lists.get(name, [])]
        for name, shape in SHAPES.items()
    }
    documents = {
        name: source.Document(f"{name}.yaml", lists.get(name, []), None) for name in SHAPES
    }
    files = {
        code: source.Document(f"{code}.yaml", {"eligibility": tree}, None)
        for code, tree in (services or {}).items()
    }
    found, mistakes = rulebook.read(shaped, documents, files)
    told = [(f"{one.file} {one.path}", f"{one.sentence} {one.hint}".strip()) for one in mistakes]
    return found, told


def test_every_fact_is_found_by_walking_the_folder_under_its_own_name():
    found = rulebook.known_facts()

    assert {"age", "household", "services_granted"} <= found.keys()
    assert all(fact.name == name for name, fact in found.items())


def test_a_file_without_the_fact_of_its_name_is_refused(tmp_path, monkeypatch):
    (tmp_path / "oddity.py").write_text("other = 1\n", encoding="utf-8")
    monkeypatch.setattr(rulebook.facts, "__path__", [*rulebook.facts.__path__, str(tmp_path)])

    with pytest.raises(LookupError, match=r"oddity\.py holds no fact oddity"):
        rulebook.known_facts.__wrapped__()


def test_the_facts_of_a_person_are_those_that_are_wanted():
    person = factories.a_talent(district="changning")
    facts = rulebook.known_facts()

    known = rulebook.facts_of(person, DAY, [facts["district"], facts["age"]])

    assert known == {"district": "changning", "age": None}


def test_a_published_menu_has_its_rules():
    held = catalogue.a_menu(
        catalogue.a_service("open"),
        catalogue.a_service(
            "closed",
            eligibility=catalogue.CARD_HOLDERS,
            examples=[{"name": "x", "given": {}, "outcome": "NEEDS_FACTS"}],
        ),
    )

    found = rulebook.Rulebook.of(held)

    assert found.judge("open", DAY).truth({}) is True
    assert found.judge("closed", DAY).truth({"holds_card": False}) is False
    assert found.judge("closed", DAY) is found.judge("closed", DAY)
    with pytest.raises(KeyError):
        found.judge("neither", DAY)


def test_a_menu_with_a_broken_rule_gives_no_rulebook():
    held = catalogue.a_menu(catalogue.a_service("open", eligibility={"all": []}))

    with pytest.raises(errors.MistakesError, match=r"services/open\.yaml.*`all` needs a list"):
        rulebook.Rulebook.of(held)


def test_a_rule_is_compiled_once_however_many_days_are_asked_about():
    found, _ = read({"open": "everyone"})
    first = found.judge("open", date(2026, 1, 1))

    assert all(found.judge("open", date(2026, 1, day)) is first for day in range(2, 30))


@pytest.mark.parametrize(
    ("band", "condition"),
    [
        ({"at_least": 18, "at_most": 25}, Between("age", 18, 25)),
        ({"more_than": 18, "less_than": 25}, Between("age", 19, 24)),
        ({"at_least": 18, "more_than": 20}, Between("age", 21, None)),
        ({"at_least": 0, "less_than": 1}, Between("age", 0, 0)),
    ],
)
def test_a_band_of_numbers_has_its_ends(band, condition):
    found, told = read(points=[a_table(a_version({"points": 5, **band}))])

    (version,) = found.points["merit"].versions
    assert told == []
    assert version.lines[0].entries[0].bands == ((condition, 5),)


def test_a_band_may_be_one_value():
    band = {"points": 5, "equals": "DOCTOR"}
    found, told = read(points=[a_table(a_version(band, fact="degree_level"))])

    (version,) = found.points["merit"].versions
    assert told == []
    assert version.lines[0].entries[0].bands[0][0] == Among("degree_level", frozenset({"DOCTOR"}))


@pytest.mark.parametrize(
    ("lists", "path", "sentence"),
    [
        (
            {"points": [a_table(a_version({"points": 1, "at_least": 1}, fact="aeg"))]},
            "points.yaml [0].versions[0].lines[0].entries[0].fact",
            "no fact “aeg”. Did you mean “age”",
        ),
        (
            {"points": [a_table(a_version({"points": 1}))]},
            "points.yaml [0].versions[0].lines[0].entries[0].bands[0]",
            "A band says what `age` (a whole number) `equals`, or its ends",
        ),
        (
            {"points": [a_table(a_version({"points": 1, "equals": "old"}))]},
            "points.yaml [0].versions[0].lines[0].entries[0].bands[0]",
            "A band says",
        ),
        (
            {"points": [a_table(a_version({"points": 1, "at_least": 1}, fact="employed"))]},
            "points.yaml [0].versions[0].lines[0].entries[0].bands[0]",
            "A band says",
        ),
        (
            {
                "points": [
                    a_table(
                        a_version({"points": 1, "at_least": 1}, until="2026-06-30"),
                        a_version({"points": 1, "at_least": 1}, since="2026-06-30"),
                    )
                ]
            },
            "points.yaml [0].versions[1]",
            "Two of these are in force on the same day",
        ),
        (
            {"pay_lines": [a_line({"since": "2026-01-02", "until": "2026-01-01"})]},
            "pay_lines.yaml [0].values[0].until",
            "before `since`",
        ),
        (
            {"pay_lines": [a_line({"since": "2025-01-01"}, {"since": "2026-01-01"})]},
            "pay_lines.yaml [0].values[1]",
            "Two of these are in force on the same day",
        ),
        (
            {"zones": [{**ZONE, "since": "2026-01-01", "fact": "distric"}]},
            "zones.yaml [0].fact",
            "no fact “distric”. Did you mean “district”",
        ),
        (
            {"zones": [{**ZONE, "since": "2026-01-01", "fact": "degree_level"}]},
            "zones.yaml [0].values[0]",
            "“xuhui” is no value of `degree_level` (BACHELOR, MASTER, DOCTOR)",
        ),
        (
            {"city_rules": [{"code": "residence", **NAMED, "eligibility": {"all": []}}]},
            "city_rules.yaml [0].eligibility.all",
            "at least one part",
        ),
    ],
)
def test_a_mistake_in_what_rules_build_on_is_told_with_its_path(lists, path, sentence):
    _, ((told_path, told),) = read(**lists)

    assert told_path == path
    assert sentence in told


def test_rules_build_on_the_lists_of_the_menu():
    trees = {
        "paid": clause("a", "annual_salary", at_least={"line": "class-b"}),
        "scored": {**SAID, "points": "merit", "at_least": 5},
        "near": {
            "rule": "everyone",
            "overrides": [{"zone": "west", "add": [clause("a", "age", at_least=18)]}],
        },
        "resident": {"city": "residence"},
    }

    found, told = read(
        trees,
        pay_lines=[a_line({"since": "2026-01-01"})],
        points=[a_table(a_version({"points": 5, "at_least": 18}))],
        zones=[{**ZONE, "since": "2026-01-01"}],
        city_rules=[
            {
                "code": "residence",
                **NAMED,
                "eligibility": {"since": "2026-01-01", "rule": clause("a", "employed")},
            }
        ],
    )

    truths = {
        code: found.judge(code, DAY).truth(
            {"annual_salary": 1000, "age": 17, "district": "xuhui", "employed": True}
        )
        for code in trees
    }
    (zone, *_) = found.judge("near", DAY).tree.leaves
    (reason,) = found.judge("resident", DAY).judge({"employed": True}).reasons
    assert told == []
    assert truths == {"paid": True, "scored": False, "near": False, "resident": True}
    assert zone.said.layer == Layer(Level.ZONE, "west", date(2026, 1, 1), None)
    assert reason.said.layer == Layer(Level.CITY, None, date(2026, 1, 1), None)
    assert found.rules["resident"].clauses["a"].said == reason.said
    assert found.lines["class-b"].values == ((Span(date(2026, 1, 1)), 1000),)


def test_a_citys_rule_for_everyone_has_no_clause():
    found, _ = read(
        {"resident": {"city": "residence"}},
        city_rules=[{"code": "residence", **NAMED, "eligibility": "everyone"}],
    )

    assert found.rules["resident"].clauses == {}
    assert found.judge("resident", DAY).judge({}).outcome is Outcome.ELIGIBLE


def test_a_service_is_read_before_those_that_require_it():
    found, told = read(
        {
            "first": {**SAID, "requires": "second"},
            "second": {**SAID, "requires": "third"},
            "third": clause("a", "employed"),
        }
    )

    assert told == []
    assert found.judge("first", DAY).truth({"employed": True}) is True
    assert found.judge("first", DAY).judge({}).missing == ("employed",)


def test_rules_that_require_each_other_in_a_circle_are_told():
    found, told = read(
        {code: {**SAID, "requires": other} for code, other in ("ab", "bc", "ca")}
        | {"d": "everyone"}
    )

    assert ("c.yaml eligibility.requires", "A rule cannot require itself: a → b → c → a.") in told
    assert set(found.rules) == {"d"}


def test_a_rule_may_exclude_what_excludes_it():
    found, told = read({code: {**SAID, "excludes": other} for code, other in ("ab", "ba")})

    assert told == []
    assert found.judge("a", DAY).truth({"services_granted": frozenset("b")}) is False


def test_rules_require_each_other_so_deep_and_no_deeper():
    def chain(many):
        last = {f"s{many}": clause("a", "employed")}
        return {f"s{n}": {**SAID, "requires": f"s{n + 1}"} for n in range(many)} | last

    _, fine = read(chain(rulebook.MOST_REQUIRED))
    _, told = read(chain(rulebook.MOST_REQUIRED + 1))

    assert fine == []
    assert ("s8.yaml eligibility.requires", "Rules require each other 8 deep at most.") in told


def test_a_service_without_a_rule_is_left_to_the_check_of_its_shape():
    found, mistakes = rulebook.read({}, {}, {"odd": source.Document("odd.yaml", ["x"], None)})

    assert (found.rules, mistakes) == ({}, [])


def test_a_document_is_on_record_by_a_fact_of_some_value():
    degree = {"fact": "degree_level", "values": ["MASTER", "DOCTOR"]}
    documents = [
        {"code": "photo", **NAMED},
        {"code": "degree", **NAMED, "on_record": degree},
    ]

    found, told = read(documents=documents)

    assert told == []
    assert found.documents == {"degree": Among("degree_level", frozenset({"MASTER", "DOCTOR"}))}


def test_what_shows_no_document_is_told_with_its_place():
    wrong = [
        {"fact": "degree_levle", "values": ["MASTER"]},
        {"fact": "degree_level", "values": ["MASTER", "MAGISTER"]},
    ]
    documents = [{"code": f"d{at}", **NAMED, "on_record": one} for at, one in enumerate(wrong)]

    _, told = read(documents=documents)

    assert [path for path, _ in told] == [
        "documents.yaml [0].on_record.fact",
        "documents.yaml [1].on_record.values[1]",
    ]
    assert "Did you mean “degree_level”?" in told[0][1]
    assert "“MAGISTER” is no value of `degree_level`" in told[1][1]
