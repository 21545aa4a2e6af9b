"""The gql of PyPI, over each of its ways to a hub."""

import gql
import pytest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.websockets import WebsocketsTransport

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

EDITION = gql.gql("{ edition { revision publishedAt } }")
FOLLOWED = gql.gql("subscription { edition { revision } }")


@pytest.fixture
def url(address):
    return f"{address}/graphql"


@pytest.fixture
def headers(shared_hub):
    return shared_hub.bearer("holder")


async def test_a_query_is_checked_against_the_introspected_schema_and_answered(url):
    transport = AIOHTTPTransport(url)

    async with gql.Client(transport=transport, fetch_schema_from_transport=True) as session:
        found = await session.execute(EDITION)

    assert session.client.schema.get_type("MenuEdition")
    assert found["edition"]["revision"] > 0


async def test_variables_reach_a_query(url):
    query = gql.gql("query ($code: String!) { service(code: $code) { ... on Service { code } } }")
    query.variable_values = {"code": "film-tickets"}

    async with gql.Client(transport=AIOHTTPTransport(url)) as session:
        assert await session.execute(query) == {"service": {"code": "film-tickets"}}


async def test_a_mutation_is_answered(url, headers):
    shown = gql.gql(
        'mutation { presentCard(input: {serviceCode: "none", partnerCode: "none"})'
        " { ... on Fault { code } } }"
    )

    async with gql.Client(transport=AIOHTTPTransport(url, headers=headers)) as session:
        assert await session.execute(shown) == {"presentCard": {"code": "UNKNOWN_CODE"}}


async def test_an_error_comes_with_its_code_and_the_data_beside_it(url):
    query = gql.gql("{ me { name } edition { revision } }")

    async with gql.Client(transport=AIOHTTPTransport(url)) as session:
        with pytest.raises(TransportQueryError) as raised:
            await session.execute(query)

    assert raised.value.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert raised.value.data["edition"]["revision"] > 0


async def test_a_document_that_does_not_hold_is_an_error_of_the_query(url):
    async with gql.Client(transport=AIOHTTPTransport(url)) as session:
        with pytest.raises((TransportQueryError, TransportServerError), match="nothing"):
            await session.execute(gql.gql("{ nothing }"))


@pytest.mark.parametrize("transport", [AIOHTTPWebsocketsTransport, WebsocketsTransport])
async def test_a_subscription_is_followed_over_a_socket(url, headers, transport):
    over = transport(url.replace("http", "ws"), init_payload=headers)

    assert (await _first(over))["edition"]["revision"] > 0


async def _first(transport):
    async with gql.Client(transport=transport) as session:
        return await anext(session.subscribe(FOLLOWED))
