"""The menu folder is read whole, checked whole, and every mistake in it is told at once."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from models import errors, offer
from resolvers import publication

MENU = Path(__file__).parents[2] / "menu"
MODEL = "talent-apartment"

PARTNERS = {
    "jinzhong-road-hospital": frozenset({offer.Capability.APPOINTMENT}),
    "tianshan-clinic": frozenset({offer.Capability.APPOINTMENT}),
    "xinhua-bank": frozenset({offer.Capability.PASS}),
    "jiangsu-road-bank": frozenset({offer.Capability.PASS}),
    "hongqiao-exchange": frozenset({offer.Capability.QUOTE}),
    "changning-school-office": frozenset({offer.Capability.PLACE}),
    "tianshan-school-office": frozenset({offer.Capability.PLACE}),
    "hongqiao-cinema": frozenset({offer.Capability.SHOWING}),
    "xinhua-culture-hall": frozenset({offer.Capability.SHOWING}),
}

#: Stands in a seed before the word that the complaint must point at, and is taken out again.
HERE = "⚑"


@dataclass(frozen=True)
class Seed:
    """One mistake: what is replaced in the file, and the path, sentence and hint it must give."""

    old: str
    new: str
    path: str
    sentence: str
    hint: str = ""


IN_A_SERVICE = {
    "unknown-key": Seed("fee:\n", "feee: 1\nfee:\n", "feee", "no key “feee”", "“fee”"),
    "unknown-inner-key": Seed(
        "      less_than: 12\n",
        f"      less_than: 12\n      {HERE}refrence: hub\n",
        "eligibility.all[2].refrence",
        "no key “refrence”",
        "“reference”",
    ),
    "unknown-citation-key": Seed(
        "  citation: {source: hub}",
        "  citation: {source: hub, qoute: x}",
        "fee.citation.qoute",
        "no key “qoute”",
        "“quote”",
    ),
    "missing-key": Seed("fee:\n  amount: 0\n", "fee:\n", "fee.amount", "key is missing"),
    "wrong-choice": Seed(
        "channel: ONLINE", "channel: ONLIN", "steps[0].channel", "“ONLIN”", "“ONLINE”"
    ),
    "wrong-choice-alone-in-its-list": Seed(
        "audience: [RETURNEE]", "audience: [RETURNEES]", "audience[0]", "“RETURNEES”", "“RETURNEE”"
    ),
    "wrong-outcome-word": Seed(
        "outcome: NEEDS_FACTS",
        "outcome: NEED_FACTS",
        "examples[1].outcome",
        "“NEED_FACTS”",
        "“NEEDS_FACTS”",
    ),
    "value-of-no-sort": Seed(
        "      school_rank: 33\n",
        "      school_rank: 33.5\n",
        "examples[0].given.school_rank",
        "valid integer",
        "33.5",
    ),
    "negative-fee": Seed("amount: 0", "amount: -1", "fee.amount", "greater than or equal", "-1"),
    "no-such-day": Seed("since: 2024-01-01", "since: 2024-02-30", "valid.since", "valid date"),
    "until-before-since": Seed(
        "  since: 2024-01-01\n",
        f"  since: 2024-01-01\n  {HERE}until: 2023-12-31\n",
        "valid.until",
        "before `since`",
    ),
    "stale-at-once": Seed(
        "stale_after: 2027-05-01", "stale_after: 2026-11-01", "assured.stale_after", "not after"
    ),
    "unknown-category": Seed(
        "category: accommodation",
        "category: acommodation",
        "category",
        "no category “acommodation”",
        "“accommodation”",
    ),
    "unknown-area": Seed("[housing]", "[housng]", "areas[0]", "no card area", "“housing”"),
    "unknown-platform-area": Seed(
        "policies: []",
        "platform_areas: [medicine]",
        "platform_areas[0]",
        "no platform area “medicine”",
        "“medical”",
    ),
    "unknown-policy": Seed(
        "policies: []", "policies: [educaton]", "policies[0]", "no policy family", "“education”"
    ),
    "unknown-industry": Seed(
        "policies: []",
        "industries: [civil-avation]",
        "industries[0]",
        "no industry",
        "“civil-aviation”",
    ),
    "unknown-document": Seed(
        "document: housing-declaration",
        "document: housing-declartion",
        "documents[3].document",
        "no document",
        "“housing-declaration”",
    ),
    "unknown-station": Seed(
        "[jinzhong-road-center]",
        "[jinzhong-road-centre]",
        "where.stations[0]",
        "no station",
        "“jinzhong-road-center”",
    ),
    "unknown-window": Seed(
        "  stations: [jinzhong-road-center]",
        "  windows: [enterprise-service-center/d-area]",
        "where.windows[0]",
        "no window",
        "“enterprise-service-center/c-area”",
    ),
    "unknown-source": Seed(
        "citation: {source: hub}", "citation: {source: hubb}", "fee.citation.source", "“hubb”"
    ),
    "unknown-reference": Seed(
        "      reference: changning-apartment-2023\n",
        "      reference: changning-apartment-2032\n",
        "eligibility.all[0].reference",
        "no source",
        "“changning-apartment-2023”",
    ),
    "unknown-partner": Seed(
        "partners: []",
        f"partners:\n  - {HERE}partner: xinhua-bnak\n    capability: pass\n    topic: remittance",
        "partners[0].partner",
        "no partner",
        "“xinhua-bank”",
    ),
    "wrong-capability": Seed(
        "partners: []",
        f"partners:\n  - partner: xinhua-bank\n    {HERE}capability: quote\n    topic: rates",
        "partners[0].capability",
        "gives pass, never quote",
    ),
    "unknown-fact": Seed(
        "fact: degree_level",
        "fact: degree_levle",
        "eligibility.all[0].fact",
        "no fact “degree_levle”",
        "“degree_level”",
    ),
    "operand-of-another-sort": Seed(
        "at_most: 100",
        "at_most: a hundred",
        "eligibility.all[1].any[0].at_most",
        "no value of `school_rank`",
    ),
    "operand-misspelt": Seed(
        "at_least: MASTER", "at_least: MASTERS", "eligibility.all[0].at_least", "", "“MASTER”"
    ),
    "order-of-what-has-none": Seed(
        "owns_home_in_city\n          is: true",
        f"owns_home_in_city\n          {HERE}at_least: true",
        "eligibility.all[3].none[0].at_least",
        "has no order",
    ),
    "two-operators": Seed(
        "    - id: degree\n",
        f"    - {HERE}id: degree\n      is_not: DOCTOR\n",
        "eligibility.all[0]",
        "exactly one of",
    ),
    "empty-group": Seed(
        "eligibility:\n  all:\n",
        f"eligibility:\n  all:\n    - {HERE}any: []\n",
        "eligibility.all[0].any",
        "at least one part",
    ),
    "sentence-in-one-language": Seed(
        ", zh: 拥有硕士及以上学位}", "}", "eligibility.all[0].text", "missing in: zh"
    ),
    "duplicate-clause-id": Seed(
        "id: subject-rank",
        "id: school-rank",
        "eligibility.all[1].any[1].id",
        "called “school-rank”",
    ),
    "example-judged-otherwise": Seed(
        "outcome: INELIGIBLE", "outcome: ELIGIBLE", "examples[2].outcome", "says otherwise: INELIG"
    ),
    "example-with-other-reasons": Seed(
        "reasons: [spouse-home]",
        "reasons: [own-home]",
        "examples[2].reasons",
        "says otherwise: spouse-home",
    ),
    "example-missing-other-facts": Seed(
        "missing: [school_rank]", "missing: []", "examples[1].missing", "otherwise: school_rank"
    ),
    "example-with-unknown-fact": Seed(
        "      school_rank: 33\n",
        "      school_rnak: 33\n",
        "examples[0].given.school_rnak",
        "no fact",
        "“school_rank”",
    ),
    "example-with-impossible-value": Seed(
        "degree_level: MASTER\n",
        "degree_level: MASTR\n",
        "examples[0].given.degree_level",
        "no value",
        "“MASTER”",
    ),
    "code-of-another-file": Seed(
        "code: code-of-another-file",
        "code: another-file",
        "code",
        "file is called “code-of-another-file”",
    ),
}

ZONE_TEXT = next(
    line.strip()
    for line in (MENU / "zones.yaml").read_text("utf-8").splitlines()
    if "text:" in line
)
IN_A_LIST = {
    "areas": Seed("policy: health", "policy: wealth", "[1].policy", "no policy family", "“health”"),
    "documents": Seed(
        "- code: passport\n",
        "- code: passport\n  name: {en: Passport, zh: 护照}\n  citation: {source: hub}\n"
        f"- {HERE}code: passport\n",
        "[1].code",
        "“passport” stands here twice",
    ),
    "figures": Seed("  unit: ", "  unti: x\n  unit: ", "[0].unti", "no key “unti”", "“unit”"),
    "journeys": Seed(
        f"[{MODEL}, ", "[talent-apartement, ", "[0].services[0]", "no service", f"“{MODEL}”"
    ),
    "zones": Seed(ZONE_TEXT, ZONE_TEXT.partition(", zh:")[0] + "}", "[0].text", "missing in: zh"),
    "stations": Seed("kind: CENTER", "kind: CENTRE", "[0].kind", "“CENTRE”", "“CENTER”"),
}

JOURNEYS = f"""\
- code: settle
  name: {{en: Settle, zh: 安居}}
  services: [{MODEL}, {MODEL}]
  citation: {{source: hub}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The menu's own lists with one service a category: the whole takes seconds to read."""
    folder = tmp_path / "menu"
    shutil.copytree(MENU, folder, ignore=shutil.ignore_patterns("services"))
    (folder / "services").mkdir()
    kept = {category_of(path): path for path in sorted((MENU / "services").glob("*.yaml"))}
    for path in (*kept.values(), MENU / "services" / f"{MODEL}.yaml"):
        shutil.copy(path, folder / "services")
    (folder / "journeys.yaml").write_text(JOURNEYS, encoding="utf-8")
    return folder


def category_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\ncategory: ")[2].partition("\n")[0]


def mistakes_in(folder: Path) -> tuple[errors.Mistake, ...]:
    with pytest.raises(errors.MistakesError) as caught:
        publication.read(folder, PARTNERS)
    return caught.value.mistakes


def a_service(folder: Path, code: str) -> Path:
    """A service that is right, in a file of its own."""
    path = folder / "services" / f"{code}.yaml"
    text = (MENU / "services" / f"{MODEL}.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace(f"code: {MODEL}", f"code: {code}"), encoding="utf-8")
    return path


def sow(path: Path, seed: Seed) -> int:
    """Put a mistake into a file; return the line the complaint must name."""
    before, found, after = path.read_text(encoding="utf-8").partition(seed.old)
    assert found, f"{path.name} has no longer {seed.old!r}"
    path.write_text(before + seed.new.replace(HERE, "") + after, encoding="utf-8")
    return (before + seed.new.partition(HERE)[0] * (HERE in seed.new)).count("\n") + 1


def test_a_folder_without_mistakes_is_a_menu(folder):
    found = publication.read(folder, PARTNERS)

    assert len(found.services) >= len(found.categories)
    assert {service.code for service in found.services} == {
        path.stem for path in (folder / "services").glob("*.yaml")
    }


def test_every_kind_of_mistake_is_told_at_once_with_its_file_line_path_and_nearest_spelling(folder):
    expected = {}
    for code, seed in IN_A_SERVICE.items():
        line = sow(a_service(folder, code), seed)
        expected[f"menu/services/{code}.yaml"] = (line, seed)
    for name, seed in IN_A_LIST.items():
        expected[f"menu/{name}.yaml"] = (sow(folder / f"{name}.yaml", seed), seed)

    told = mistakes_in(folder)

    by_file = {mistake.file: mistake for mistake in told}
    assert len(told) == len(expected)
    assert {file: (one.line, one.path) for file, one in by_file.items()} == {
        file: (line, seed.path) for file, (line, seed) in expected.items()
    }
    for file, (_, seed) in expected.items():
        assert seed.sentence in by_file[file].sentence
        assert seed.hint in by_file[file].hint, by_file[file]


def test_mistakes_of_shape_of_names_and_of_rule_in_one_file_do_not_hide_each_other(folder):
    kinds = ("unknown-key", "wrong-choice", "unknown-area", "unknown-fact", "unknown-reference")
    path = a_service(folder, "many")
    for kind in kinds:
        sow(path, IN_A_SERVICE[kind])

    told = mistakes_in(folder)

    assert {one.path for one in told} == {IN_A_SERVICE[kind].path for kind in kinds}


def test_an_entry_with_a_mistake_may_still_be_named(folder):
    sources = folder / "sources.yaml"
    sources.write_text(sources.read_text(encoding="utf-8").replace("publisher:", "publishr:", 1))

    told = mistakes_in(folder)

    assert {one.file for one in told} == {"menu/sources.yaml"}
    assert sorted(one.sentence for one in told) == [
        "There is no key “publishr”.",
        "This key is missing.",
    ]


@pytest.mark.parametrize("name", ["sources", "stations", "categories"])
def test_a_list_that_cannot_be_read_is_the_only_complaint(folder, name):
    (folder / f"{name}.yaml").unlink()

    told = mistakes_in(folder)

    assert [(one.file, one.line) for one in told] == [(f"menu/{name}.yaml", 1)]
    assert "cannot be read: No such file" in told[0].sentence


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        (b"code: x\nareas: [housing\nname: x\n", 3, "not YAML"),
        (b"code: x\nname: x\nname: y\n", 3, "duplicate key"),
        (b"code: x\nname: \x01\n", 2, "not YAML"),
        (b"code: \xff\n", 1, "not UTF-8"),
    ],
)
def test_a_service_that_cannot_be_read_is_the_only_complaint(folder, content, line, sentence):
    (folder / "services" / f"{MODEL}.yaml").write_bytes(content)

    told = mistakes_in(folder)

    assert [(one.file, one.line) for one in told] == [(f"menu/services/{MODEL}.yaml", line)]
    assert sentence in told[0].sentence


def test_a_category_without_a_service_is_a_mistake(folder):
    path = folder / "categories.yaml"
    listed = path.read_text(encoding="utf-8")
    entry = "- code: gardening\n  name: {en: Gardening, zh: 园艺}\n  citation: {source: hub}\n"
    path.write_text(listed + entry, encoding="utf-8")

    told = mistakes_in(folder)

    assert [(one.file, one.line) for one in told] == [
        ("menu/categories.yaml", listed.count("\n") + 1)
    ]
    assert "“gardening” has no service" in told[0].sentence


def test_the_error_lists_the_mistakes_in_file_order_one_a_line(folder):
    sow(a_service(folder, "zeta"), IN_A_SERVICE["unknown-area"])
    sow(a_service(folder, "alpha"), IN_A_SERVICE["unknown-fact"])

    with pytest.raises(errors.MistakesError) as caught:
        publication.read(folder, PARTNERS)

    lines = str(caught.value).splitlines()
    assert re.fullmatch(
        r"menu/services/alpha.yaml:\d+: eligibility.all\[0\].fact: There is no fact"
        r" “degree_levle”. Did you mean “degree_level”.*\?",
        lines[0],
    )
    assert lines[1].startswith("menu/services/zeta.yaml:3: areas[0]: There is no card area")
    assert len(lines) == 2


# --- One service in the menu in force -----------------------------------------------------------

TEXT = (MENU / "services" / f"{MODEL}.yaml").read_text(encoding="utf-8")
SAID = "text: {en: It holds, zh: 成立}, reference: hub"
ROBERT = "o'brien\\\"; DROP TABLE talent; -- "


@pytest.fixture(scope="module")
def in_force():
    return publication.read(MENU, PARTNERS)


def revised(in_force, text: str | None, code: str = MODEL):
    return publication.revised(in_force, code, text, PARTNERS)


def refused(in_force, text: str | None, code: str = MODEL) -> tuple[errors.Mistake, ...]:
    with pytest.raises(errors.MistakesError) as caught:
        revised(in_force, text, code)
    return caught.value.mistakes


def with_rule(rule: str) -> str:
    before, _, rest = TEXT.partition("eligibility:\n")
    return f"{before}eligibility:\n  {rule}\nsubsidy:{rest.partition('subsidy:')[2]}"


def many(number: int, asks: str, group: str = "all") -> str:
    clauses = (f"{{id: a{n}, {asks.replace('#', str(n))}, {SAID}}}" for n in range(number))
    return f"{{{group}: [{', '.join(clauses)}]}}"


def test_the_same_text_is_the_same_menu(in_force):
    assert revised(in_force, TEXT) == in_force


def test_the_text_is_the_service_and_nothing_else_changes(in_force):
    found = revised(in_force, TEXT.replace("less_than: 12", "less_than: 24"))

    changed = [
        one.code
        for one, other in zip(found.services, in_force.services, strict=True)
        if one != other
    ]
    assert changed == [MODEL]
    assert found.model_copy(update={"services": in_force.services}) == in_force


def test_a_service_that_is_new_stands_where_a_folder_would_have_it(in_force):
    text = TEXT.replace(f"code: {MODEL}", "code: talent")

    found = revised(in_force, text, "talent")

    files = [f"{one.code}.yaml" for one in found.services]
    assert files == sorted(files)
    assert len(files) == len(in_force.services) + 1


def test_a_service_that_is_named_elsewhere_cannot_go(in_force):
    told = refused(in_force, None)

    assert {one.file for one in told} == {"menu/journeys.yaml"}
    assert {one.sentence for one in told} == {f"There is no service “{MODEL}”."}


def test_a_rule_that_requires_the_changed_one_is_looked_at_again(in_force):
    card = f"{{id: c, fact: holds_card, is: true, {SAID}}}"
    asks = f"{{all: [{{id: r, requires: {MODEL}, {SAID}}}, {card}]}}"
    other = with_rule(asks).replace(f"code: {MODEL}", "code: other")
    other = other.partition("subsidy:")[0] + "citations:" + other.partition("\ncitations:")[2]
    other = (
        other.partition("examples:")[0] + "examples: [{name: a, given: {}, outcome: NEEDS_FACTS}]"
    )
    both = revised(in_force, other, "other")

    told = refused(both, with_rule(card))

    at = [(one.path, one.sentence) for one in told if one.file.endswith("other.yaml")]
    assert [path for path, _ in at] == ["eligibility.all[1]"]
    assert "can never matter" in at[0][1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (with_rule(many(10_000, "fact: age, is: #")), "at most 262,144 bytes"),
        (with_rule(many(900, "fact: age, is: #")), "at most 12,000 keys and values"),
        (with_rule(many(501, "fact: age, is_not: #")), "at most 500 clauses"),
        (with_rule(many(500, "fact: age, is_not: #")), "too many cases to be checked"),
        (with_rule(many(60, "points: work-permit, at_least: #")), "too many cases"),
        (with_rule("{any: [" * 500 + "]}" * 500), "more than 80 levels deep"),
        (with_rule("{any: [" * 30 + "{}" + "]}" * 30), "Groups may stand in each other 24 deep"),
        (
            with_rule(f"{{id: a, fact: age, in: [{'1, ' * 100_000}1], {SAID}}}"),
            "at most 262,144 bytes",
        ),
        (with_rule(f"{{id: a, fact: age, in: [{'1, ' * 2_000}1], {SAID}}}"), "at most 1000 values"),
        (with_rule(f'{{id: a, fact: "{ROBERT}", is: true, {SAID}}}'), "There is no fact “o'brien"),
        (with_rule(f'{{id: "{ROBERT}", fact: employed, is: true, {SAID}}}'), "A clause has an id"),
        (with_rule("&a [*a, *a]"), "There are no anchors"),
        (TEXT + "more: " + "x" * 1_000_000, "at most 262,144 bytes"),
        (TEXT.replace("amount: 0", "amount: 1e999999999"), "Input should be"),
        ("", "Input should be a valid dictionary"),
        ("\x00", "This is not YAML."),
    ],
)  # fmt: skip
def test_what_is_hostile_is_refused_in_a_sentence(in_force, text, sentence):
    told = refused(in_force, text)

    assert sentence in told[0].sentence + told[-1].sentence
    assert len(told) < 10


@pytest.mark.parametrize(
    "rule", [many(400, 'fact: "nobody#", is: 1'), many(500, "fact: age, at_least: #", "any")]
)
def test_of_many_mistakes_the_first_are_told_and_how_many_more_there_are(in_force, rule):
    told = refused(in_force, with_rule(rule))

    assert len(told) == errors.MOST_MISTAKES + 1
    assert told[-1].sentence.startswith("There are more mistakes from here on: ")


def test_hostile_words_are_values_like_any_other(in_force):
    text = with_rule(f'{{id: a, fact: employer_region, is: "{ROBERT}", {SAID}}}')
    text = text.partition("examples:")[0] + "examples: [{name: a, given: {}, outcome: NEEDS_FACTS}]"

    found = revised(in_force, text)

    (service,) = (one for one in found.services if one.code == MODEL)
    assert service.eligibility["is"].startswith("o'brien")
