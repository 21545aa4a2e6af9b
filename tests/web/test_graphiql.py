"""The built page in a real browser: it works, and asks nobody but the hub."""

from contextlib import asynccontextmanager

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from schema import execution
from tests import asgi
from tests import browser as chromium

pytestmark = [
    chromium.NEEDED,
    pytest.mark.skipif(
        not execution.ASSETS.joinpath("index.html").is_file(),
        reason="the page is not built: `make web`",
    ),
]


@strawberry.type
class Category:
    code: str


@strawberry.type
class Query:
    @strawberry.field(description="The categories of the menu.")
    async def categories(self) -> list[Category]:
        return [Category(code="housing")]


@pytest.fixture
async def browser(tmp_path):
    async with chromium.running(tmp_path) as one:
        yield one


@asynccontextmanager
async def a_hub(seen):
    async def context(scope, plan, _body):
        seen.append(Headers(scope=scope).get("authorization"))

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
