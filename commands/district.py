"""The commands about other districts: whose cards count here, and for what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from commands import means
from credentials.trust import Entry
from models import errors
from resolvers import issuer, menu

app = typer.Typer(name="districts", no_args_is_help=True, help="Districts whose cards count here.")


@app.command()
def trust(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A JSON file with what was agreed.")],
) -> None:
    """Have the cards of another district count, in place of what was agreed with it before."""
    given = means.of(context)
    try:
        said = json.loads(means.text_of(file))
    except ValueError:
        raise errors.HubError(f"{file} is not JSON.") from None

    async def run() -> str:
        async with given.authority() as found:
            services = (await menu.newest(found.database)).services
            agreement = issuer.agreed(said, services, found.issuer)
            await found.issuers.trust(agreement)
            return agreement.issuer

    typer.echo(f"Cards of {asyncio.run(run())} count.")


@app.command()
def remove(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="The address of its hub.")],
) -> None:
    """Have the cards of another district count no more, from now on."""
    given = means.of(context)

    async def run() -> None:
        async with given.authority() as found:
            await found.issuers.untrust(url.rstrip("/"))

    asyncio.run(run())
    typer.echo(f"Cards of {url} count no more.")


@app.command(name="list")
def listed(context: typer.Context) -> None:
    """List the districts whose cards count, with the services they open."""
    given = means.of(context)

    async def run() -> list[Entry]:
        async with given.authority() as found:
            return found.issuers.entries(given.now())

    for one in asyncio.run(run()):
        typer.echo(
            f"{one.issuer}: {one.district}, {len(one.keys)} keys, "
            f"{one.begins_at:%Y-%m-%d} to {one.ends_at:%Y-%m-%d}"
        )
        typer.echo(f"  {' '.join(sorted(one.services)) or 'no service'}")
