"""The menu folder as it stands: whole, in the order of the articles, and true to their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import manifest, registry
from models import menu, text
from resolvers import publication

ROOT = Path(__file__).parents[2]
ARTICLES = sorted((ROOT.parent / "shared" / "seeds").glob("*.txt"))
CATEGORIES = [
    "customs-clearance",
    "employment",
    "entrepreneurship",
    "livelihoods",
    "enterprises",
    "accommodation",
    "medical-care",
    "education",
    "finance",
    "insurance",
    "translation",
    "travel",
    "training",
    "legal-consultation",
]
NAMED_AREAS = ["schooling-and-tutoring", "medical-services", "physical-check", "movie-watching"]
STATIONS = ["Xinhua", "Jiangsu", "Hongqiao", "Tianshan", "Chengqiao"]


@pytest.fixture(scope="module")
def published() -> menu.Menu:
    """The menu, read with every check against the partners there are; one mistake fails all."""
    kinds = registry.kinds()
    files = registry.files([ROOT / "connectors" / "partners"])
    gives = {slug: manifest.load(path, kinds).kind.capabilities for slug, path in files.items()}
    return publication.read(ROOT / "menu", gives)


def test_every_service_file_is_on_the_menu(published):
    files = {path.stem for path in (ROOT / "menu" / "services").glob("*.yaml")}

    assert {service.code for service in published.services} == files


def test_there_are_fourteen_categories_in_the_order_of_the_article(published):
    assert [category.code for category in published.categories] == CATEGORIES


def test_there_are_sixty_services_and_three_in_each_category(published):
    counted = Counter(service.category for service in published.services)

    assert counted.total() >= 60
    assert min(counted[code] for code in CATEGORIES) >= 3


def test_of_twelve_card_areas_exactly_the_four_named_ones_cite_the_article(published):
    assert len(published.areas) == 12
    assert [area.code for area in published.areas if area.citation.source == "s3"] == NAMED_AREAS
    assert {area.citation.source for area in published.areas} == {"s3", "hub"}


@pytest.mark.parametrize(
    "listed", ["areas", "platform_areas", "policies", "industries", "documents"]
)
def test_nothing_that_is_listed_goes_unused(published, listed):
    used = {
        value.document if isinstance(value, menu.DocumentNeed) else value
        for service in published.services
        for value in getattr(service, listed)
    }

    assert {entry.code for entry in getattr(published, listed)} <= used


def test_the_six_service_points_of_the_first_article_keep_its_spelling(published):
    points = [station for station in published.stations if station.citation.source == "s0"]

    names = [(point.kind, point.name.root["en"].split()[0]) for point in points]
    assert names == [(menu.StationKind.CENTER, "One-Stop")] + [
        (menu.StationKind.STATION, name) for name in STATIONS
    ]


def test_the_enterprise_service_center_has_its_single_window(published):
    center = {station.code: station for station in published.stations}["enterprise-service-center"]

    assert center.citation.source == "s4"
    assert [window.code for window in center.windows] == [
        "c-area",
        "entry-exit",
        "science-and-technology",
    ]


@pytest.mark.skipif(not ARTICLES, reason="the articles do not lie beside this checkout")
def test_every_quote_stands_in_its_article_word_for_word(published):
    articles = {
        f"s{place}": " ".join(article.read_text(encoding="utf-8").split())
        for place, article in enumerate(ARTICLES)
    }

    quoted = [one for one in _of(menu.Citation, published) if one.quote is not None]
    false = [
        (one.source, one.quote)
        for one in quoted
        if " ".join(one.quote.split()) not in articles.get(one.source, "")
    ]
    assert len(quoted) > 100
    assert false == []


def test_a_subset_is_never_larger_than_its_whole(published):
    figures = {figure.code: figure for figure in published.figures}

    parts = [(figure, figures[figure.part_of]) for figure in published.figures if figure.part_of]
    assert {(part.value, whole.value) for part, whole in parts} == {(10, 115), (10, 35), (45, 70)}
    assert all(part.value <= whole.value and part.unit == whole.unit for part, whole in parts)


def test_every_text_is_in_chinese_and_in_english(published):
    texts = list(_of(text.Text, published))

    assert len(texts) > 500
    assert [one for one in texts if one.lacks()] == []


def test_the_high_class_never_waits_longer_and_never_brings_more(published):
    for service in published.services:
        promise = service.promise
        high, low = (
            sum(talent_class in need.classes for need in service.documents)
            for talent_class in (menu.TalentClass.HIGH, menu.TalentClass.LOW)
        )

        assert promise.high <= promise.medium <= promise.low, service.code
        assert high <= low, service.code


def test_every_class_has_a_step_to_take_in_every_service(published):
    for service in published.services:
        taken = {talent_class for step in service.steps for talent_class in step.classes}

        assert taken == set(menu.TalentClass), service.code


def test_every_service_with_a_rule_shows_both_sides_of_it(published):
    for service in published.services:
        outcomes = {example.outcome for example in service.examples}

        assert len(service.examples) >= 2, service.code
        assert "ELIGIBLE" in outcomes, service.code
        assert (service.eligibility == "everyone") is (outcomes == {"ELIGIBLE"}), service.code


def test_life_events_take_each_service_once(published):
    for journey in published.journeys:
        assert len(set(journey.services)) == len(journey.services), journey.code


def _of(kind, value) -> Iterator:
    """Yield every value of a kind anywhere in a menu."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, menu.Shape):
        for name in type(value).model_fields:
            yield from _of(kind, getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _of(kind, part)
