"""The built page in a real browser: it works, and asks nobody but the hub."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager

import aiohttp
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from schema import execution
from tests import asgi

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="no chromium with chromedriver on this machine",
    ),
    pytest.mark.skipif(
        not execution.ASSETS.joinpath("index.html").is_file(),
        reason="the page is not built: `make web`",
    ),
]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
]


@strawberry.type
class Category:
    code: str


@strawberry.type
class Query:
    @strawberry.field(description="The categories of the menu.")
    async def categories(self) -> list[Category]:
        return [Category(code="housing")]


class Browser:
    """As much of WebDriver as one page needs."""

    def __init__(self, http, session):
        self._http = http
        self._session = session

    async def send(self, verb, **parameters):
        async with self._http.post(f"{self._session}/{verb}", json=parameters) as response:
            return (await response.json())["value"]

    async def run(self, script):
        return await self.send("execute/sync", script=script, args=[])

    async def sees(self, text, where="body", within_seconds=20):
        """Wait until the element shows the text; fail with what it shows instead."""
        ends = asyncio.get_running_loop().time() + within_seconds
        while True:
            # Monaco draws spaces as no-break spaces.
            shown = await self.run(f"return document.querySelector('{where}')?.innerText ?? ''")
            shown = shown.replace("\xa0", " ")
            if text in shown:
                return
            assert asyncio.get_running_loop().time() < ends, shown
            await asyncio.sleep(0.1)

    async def logged(self, kind):
        return await self.send("se/log", type=kind)

    async def asks(self, url, address, within_seconds=20):
        """Wait until a page of this address has asked for a URL; return all that it asked for."""
        asked = set()
        ends = asyncio.get_running_loop().time() + within_seconds
        while url not in asked:
            assert asyncio.get_running_loop().time() < ends, asked
            # The log gives what is new since it was last read.
            for entry in await self.logged("performance"):
                event = json.loads(entry["message"])["message"]
                # Not what the browser's own first tab asked for.
                if event["method"] == "Network.requestWillBeSent" and event["params"][
                    "documentURL"
                ].startswith(address):
                    asked.add(event["params"]["request"]["url"])
            await asyncio.sleep(0.1)
        return asked


@pytest.fixture
async def browser(tmp_path):
    driver = await asyncio.create_subprocess_exec(
        "chromedriver", "--port=0", stdout=asyncio.subprocess.PIPE
    )
    port = None
    while port is None:
        line = (await driver.stdout.readline()).decode()
        if "started successfully on port" in line:
            port = line.rstrip(".\n").rsplit(" ", 1)[1]
    options = {
        "args": [*FLAGS, f"--user-data-dir={tmp_path}"],
        "binary": shutil.which("chromium"),
    }
    wanted = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    async with aiohttp.ClientSession() as http:
        sessions = f"http://127.0.0.1:{port}/session"
        async with http.post(sessions, json={"capabilities": {"alwaysMatch": wanted}}) as response:
            session = f"{sessions}/{(await response.json())['value']['sessionId']}"
        yield Browser(http, session)
        async with http.delete(session):
            pass
    driver.terminate()
    await driver.wait()


@asynccontextmanager
async def a_hub(seen):
    async def context(request, plan):
        seen.append(request.headers.get("authorization"))

    view = execution.GraphQLView(execution.Schema(Query), context)
    files = StaticFiles(directory=execution.ASSETS)
    routes = [Route("/graphql", view), Mount(execution.ASSETS_URL, files)]
    async with asgi.served(Starlette(routes=routes)) as address:
        yield address


async def test_the_page_queries_documents_and_sends_a_pasted_token_without_leaving_the_hub(
    browser,
):
    tokens = []
    async with a_hub(tokens) as address:
        await browser.send("url", url=f"{address}/graphql")
        await browser.sees("authorization")
        assert set(tokens) <= {None}  # "Bearer " alone is not sent

        await browser.run(
            "window.__MONACO.editor.getModels().find(m => m.uri.path.includes('request-headers'))"
            """.setValue('{"authorization": "Bearer a.b.c"}')"""
        )
        await browser.run(
            "window.__MONACO.editor.getModels().find(m => m.uri.path.includes('operation'))"
            ".setValue('query Asked { categories { code } }')"
        )
        await browser.sees("Asked", ".graphiql-tabs")
        await browser.run("document.querySelector('.graphiql-execute-button').click()")
        await browser.sees('"code": "housing"')
        assert tokens[-1] == "Bearer a.b.c"

        await browser.run(
            """document.querySelector('[aria-label^="Show Documentation"]').click()"""
        )
        await browser.sees("A GraphQL schema provides a root type")

        # The language's worker is fetched when the page has time for it.
        asked = await browser.asks(f"{address}/graphiql/graphql.worker.js", address)
        console = await browser.logged("browser")
    assert [entry for entry in console if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
