"""The commands about the menu folder: checked, published, previewed, brought up to date."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated

import typer

from commands import means
from resolvers import partner, publication
from resolvers.context import ZONE
from resolvers.impact import WAYS, Impact, Part

app = typer.Typer(name="menu", no_args_is_help=True, help="The service menu.")


@app.command()
def check(context: typer.Context) -> None:
    """Check the menu folder; print every mistake with its file, line and path."""
    given = means.of(context)
    found = publication.read(given.menu, given.capabilities(()))
    typer.echo(f"{len(found.services)} services in {len(found.categories)} categories: no mistake.")


@app.command()
def publish(
    context: typer.Context,
    *,
    replace: Annotated[
        bool, typer.Option(help="Undo what was published through the endpoint.")
    ] = False,
) -> None:
    """Check the menu folder and publish it whole; every hub process has it within a second."""
    given = means.of(context)

    async def run() -> tuple[int, bool]:
        async with given.database() as database:
            installed = await partner.installed(database)
            return await publication.publish(
                database,
                given.menu,
                lambda: given.capabilities(installed),
                given.now(),
                replace=replace,
            )

    revision, is_new = asyncio.run(run())
    typer.echo(f"Revision {revision} {'is published' if is_new else 'was in force already'}.")


@app.command()
def preview(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what publishing the menu folder would do to people: who gains, who loses."""
    # Polars and everybody's facts are more than a hub may hold: this command alone loads them.
    from resolvers import population  # noqa: PLC0415 - as said above

    given = means.of(context)
    today = given.now().astimezone(ZONE).date()

    async def run() -> list[Impact]:
        async with given.database() as database:
            known = given.capabilities(await partner.installed(database))
            found = publication.read(given.menu, known)
            return await population.preview(database, found, today)

    impacts = asyncio.run(run())
    if as_json:
        plain = [one.plain() for one in impacts]
        typer.echo(json.dumps({"asOf": today.isoformat(), "services": plain}, indent=2))
        return
    typer.echo(f"Services whose rule would change: {len(impacts)}; people as of {today}.")
    for one in impacts:
        typer.echo("\n".join(_told(one)))


def _told(found: Impact) -> Iterator[str]:
    """Yield what becomes of one service's people, line by line; `-` is not told."""
    plain = found.plain()
    before, after = plain["before"], plain["after"]
    yield f"\n{found.service}"
    yield "  " + ", ".join(
        f"{said} {before[key]} → {after[key]}"
        for said, key in (
            ("eligible", "eligible"),
            ("ineligible", "ineligible"),
            ("needs facts", "needsFacts"),
        )
    )
    for said, key in (("asks for anew", "asks"), ("no longer asks for", "drops")):
        if plain[key]:
            yield f"  {said}: {', '.join(plain[key])}"
    heads = ("people", *WAYS)
    yield "  " + "".join(f"{head.replace('_', ' '):>17}" for head in heads)
    for group, parts in (
        ("", [Part(("everybody",), found.tally)]),
        ("class", found.by_class),
        ("industry", found.by_industry),
        ("district", found.by_district),
    ):
        for part in parts:
            cells = (part.tally.people, *part.told.values())
            row = "".join(f"{'-' if cell is None else cell:>17}" for cell in cells)
            yield f"  {row}  {group} {', '.join(part.names)}".rstrip()


@app.command()
def pull(context: typer.Context) -> None:
    """Take what was published through the endpoint since into the menu folder."""
    given = means.of(context)

    async def run() -> list[str]:
        async with given.database() as database:
            return await publication.pull(database, given.menu)

    typer.echo(f"Taken into the folder: {', '.join(asyncio.run(run())) or 'nothing'}.")
