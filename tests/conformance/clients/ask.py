"""Asks by the client that ariadne-codegen made, and prints what came of each check.

It runs in a Python of its own, where `hub` is that client: python ask.py URL AUTHORIZATION.
"""

import asyncio
import json
import sys

import hub
from hub.exceptions import GraphQLClientGraphQLMultiError


async def home_page(member, _stranger):
    found = await member.home_page(language="en")
    assert len(found.me.card.areas) == 12
    assert found.categories[0].services[0].name.text


async def union(_member, stranger):
    found = await stranger.judged("film-tickets", [hub.FactInput(name="age", value=40)])
    assert found.service.typename__ == "Service"
    assert found.service.verdict.outcome in hub.Outcome
    none = await stranger.judged("film-tikets")
    assert none.service.nearest == ["film-tickets"]


async def mutation(member, _stranger):
    asked = hub.PresentCardInput(service_code="none", partner_code="none")
    assert (await member.shown(asked)).present_card.code == "UNKNOWN_CODE"


async def error(_member, stranger):
    try:
        await stranger.who()
    except GraphQLClientGraphQLMultiError as raised:
        found = raised
    assert found.errors[0].extensions["code"] == "UNAUTHENTICATED"
    assert found.data["edition"]["revision"] > 0


async def main(url, authorization):
    async with (
        hub.Client(url, {"authorization": authorization}) as member,
        hub.Client(url) as stranger,
    ):
        for check in (home_page, union, mutation, error):
            try:
                await check(member, stranger)
                fault = None
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
                fault = repr(raised)
            sys.stdout.write(json.dumps({"name": check.__name__, "fault": fault}) + "\n")


asyncio.run(main(*sys.argv[1:]))
