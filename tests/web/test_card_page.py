"""The demo's pages in a real browser: a code is shown, scanned off the screen, and taken once."""

from __future__ import annotations

import pytest
import zxingcpp

from credentials import code
from models import demo
from tests import asgi, picture, till
from tests import browser as chromium

pytestmark = [chromium.NEEDED, pytest.mark.any_database]


@pytest.fixture
async def browser(tmp_path):
    async with chromium.running(tmp_path / "browser") as one:
        yield one


async def test_a_code_on_the_screen_is_taken_once(hub, browser):
    cinema = (await till.tills(hub))["cinema"]
    token = hub.bearer("holder", demo.PILOT)["authorization"].removeprefix("Bearer ")
    async with asgi.served(hub.app) as address:
        await browser.send("url", url=f"{address}/card#{token}")
        await browser.sees("Quill Cinema", "#partner")
        assert token not in await browser.run("return location.href")
        await browser.run(
            "const one = document.getElementById('partner'); one.value = arguments[0];"
            "one.dispatchEvent(new Event('change'));",
            cinema.code,
        )
        await browser.sees("Film", "#service")
        await browser.run("document.querySelector('#what button').click()")
        await browser.sees("New code in", "#left")
        await browser.sees("learns: tier", "#told")
        [seen] = zxingcpp.read_barcodes(picture.grey(await browser.picture("#picture")))
        assert isinstance(code.parse(seen.text), code.LiveCode)

        await browser.send("url", url=f"{address}/till")
        for outcome in ("CardAccepted · tier A", "CodeNotUsable · ALREADY_USED"):
            await browser.fill("#key", cinema.key)
            await browser.fill("#scanned", seen.text)
            await browser.run("document.querySelector('#check button').click()")
            await browser.sees(outcome, "#outcome")

        asked = await browser.asks(f"{address}/pages/till.js", address)
        console = await browser.logged("browser")
    assert [entry for entry in console if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert {url for url in asked if not url.startswith((address, "data:"))} == set()


async def test_what_a_hospital_learns_is_read_before_it_is_agreed_to(hub, browser):
    hospital = (await till.tills(hub))["hospital"]
    token = hub.bearer("holder", demo.PILOT)["authorization"].removeprefix("Bearer ")
    async with asgi.served(hub.app) as address:
        await browser.send("url", url=f"{address}/card#{token}")
        await browser.sees("Ember Hospital", "#partner")
        await browser.run(
            "const one = document.getElementById('partner'); one.value = arguments[0];"
            "one.dispatchEvent(new Event('change'));",
            hospital.code,
        )
        await browser.sees("Recipient: Ember Hospital", "#text")
        await browser.run("document.getElementById('agree').click()")
        await browser.run("document.querySelector('#what button').click()")

        await browser.sees("learns: tier, name, birth date", "#told")


@pytest.mark.parametrize("path", ["/card", "/till", "/pages/card.js"])
async def test_there_are_no_such_pages_outside_demo_mode(stand, path):
    open_to_all = await asgi.call(stand().app, path=path)
    closed = await asgi.call(stand(demo=False).app, path=path)

    assert (open_to_all.status, closed.status) == (200, 404)
    assert "default-src 'none'" in open_to_all.headers["content-security-policy"]
