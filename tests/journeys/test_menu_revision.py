"""A menu is published whole while the hub runs; a menu with mistakes changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectors.registry import PARTNERS
from models import errors, offer
from resolvers import publication
from tests import asgi
from tests.hub import eventually

MENU = Path(__file__).parents[2] / "menu"
#: Of each category the one service that stands first; of accommodation the one that is changed.
KEPT = {
    path.read_text(encoding="utf-8").partition("\ncategory: ")[2].partition("\n")[0]: path.stem
    for path in sorted((MENU / "services").glob("*.yaml"), reverse=True)
} | {"accommodation": "talent-apartment"}
#: Every partner there is may be asked for everything: what kinds can do has tests of its own.
KNOWN = {path.stem: frozenset(offer.Capability) for path in PARTNERS.glob("*.yaml")}
SEEN = """{ edition { revision digest } menu { totalCount }
  service(code: "talent-apartment") { ... on Service { name { text } } } }"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A menu folder with the real lists and one service of each category, which is read fast."""
    copy = Path(shutil.copytree(MENU, tmp_path / "menu"))
    for path in (copy / "services").iterdir():
        if path.stem not in KEPT.values():
            path.unlink()
    (copy / "journeys.yaml").write_text("[]\n", encoding="utf-8")
    return copy


@pytest.fixture
def publish(hub, folder, clock):
    async def publish() -> tuple[int, bool]:
        return await publication.publish(hub.hub.database, folder, lambda: KNOWN, clock())

    return publish


@pytest.fixture
def rename(folder):
    def rename(old: str, new: str) -> None:
        path = folder / "services" / "talent-apartment.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return rename


async def test_a_new_menu_is_in_force_within_seconds_without_a_restart(hub, ask, publish, rename):
    async with asgi.alive(hub.app):
        before = (await ask(SEEN)).json()["data"]
        rename("name:\n  en: ", "name:\n  en: New ")
        revision, is_new = await publish()

        async def is_in_force() -> bool:
            return (await ask(SEEN)).json()["data"]["edition"]["revision"] == revision

        await eventually(is_in_force, 15)
        after = (await ask(SEEN)).json()["data"]

    assert is_new
    assert revision > before["edition"]["revision"]
    assert after["edition"]["digest"] != before["edition"]["digest"]
    assert after["service"]["name"]["text"].startswith("New ")
    assert after["menu"]["totalCount"] == len(KEPT)


@pytest.mark.any_database
async def test_the_same_content_is_the_same_revision_however_it_is_laid_out(publish, rename):
    first, is_new = await publish()
    again, is_new_again = await publish()
    rename("\ncategory:", "\n\n# a comment\ncategory:")
    laid_out_anew, is_new_laid_out = await publish()

    assert (is_new, is_new_again, is_new_laid_out) == (True, False, False)
    assert first == again == laid_out_anew


@pytest.mark.any_database
async def test_a_menu_with_mistakes_is_refused_and_the_last_stays_in_force(
    stand, ask, publish, rename
):
    before = (await ask(SEEN)).json()
    rename("category: accommodation", "category: acommodation")
    rename("less_than: 12", "less_then: 12")

    with pytest.raises(errors.MistakesError) as refused:
        await publish()

    sentences = str(refused.value)
    assert "“accommodation”" in sentences
    assert "“less_than”" in sentences
    assert (await stand().ask(SEEN)).json() == (await ask(SEEN)).json() == before
