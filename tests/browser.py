"""A real browser, driven by as much of WebDriver as a page needs."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

#: Marks tests that need one.
NEEDED = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="no chromium with chromedriver on this machine",
)

_FLAGS = [
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


class Browser:
    """One tab."""

    def __init__(self, http, session):
        self._http = http
        self._session = session

    async def send(self, verb, **parameters):
        async with self._http.post(f"{self._session}/{verb}", json=parameters) as response:
            return (await response.json())["value"]

    async def run(self, script, *given):
        return await self.send("execute/sync", script=script, args=list(given))

    async def fill(self, field, text):
        """Put a text into a field, as if it were pasted."""
        await self.run("document.querySelector(arguments[0]).value = arguments[1]", field, text)

    async def picture(self, element):
        """Return how an element looks: a PNG."""
        await self.send("window/rect", width=1400, height=1800)
        found = await self.send("element", using="css selector", value=element)
        (id_,) = found.values()
        async with self._http.get(f"{self._session}/element/{id_}/screenshot") as response:
            return base64.b64decode((await response.json())["value"])

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


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Browser]:
    """Run a browser that keeps what it keeps in a folder."""
    driver = await asyncio.create_subprocess_exec(
        "chromedriver", "--port=0", stdout=asyncio.subprocess.PIPE
    )
    port = None
    while port is None:
        line = (await driver.stdout.readline()).decode()
        if "started successfully on port" in line:
            port = line.rstrip(".\n").rsplit(" ", 1)[1]
    options = {
        "args": [*_FLAGS, f"--user-data-dir={folder}"],
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
