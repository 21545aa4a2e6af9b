"""The commands about signing keys: which there are, successors, and keys that are compromised."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from commands import means
from credentials import key_store, keyring
from credentials.keyring import Key, Keyring, Purpose
from models import errors

app = typer.Typer(name="keys", no_args_is_help=True, help="Signing keys.")


@app.command(name="list")
def listed(context: typer.Context) -> None:
    """List the signing keys, with what each is for and until when."""
    given = means.of(context)

    async def run() -> Keyring:
        async with given.authority() as found:
            return found.keys.ring

    now = given.now()
    for key in asyncio.run(run()).every():
        state = "compromised" if key.compromised_at else "signs" if key.signs(now) else "is shown"
        typer.echo(
            f"{key.purpose} {key.id}: {state}, signs {key.signs_from:%Y-%m-%d %H:%M} to "
            f"{key.signs_until:%Y-%m-%d %H:%M}, counts until {key.public_until:%Y-%m-%d %H:%M}"
        )


@app.command()
def rotate(
    context: typer.Context,
    purpose: Annotated[Purpose, typer.Argument(help="What the key is for.")],
) -> None:
    """Make the successor of a key: shown from now on, it signs in 48 hours.

    Where the keys are at GREENWAY_KEYS_URL, it is printed, private part and all, to be put there.
    """
    given = means.of(context)

    async def run() -> Key:
        async with given.authority() as found:
            return await found.keys.rotated(purpose)

    if given.keys_elsewhere:
        now = given.now()
        new = keyring.new(purpose, published_at=now, signs_from=now + keyring.NOTICE)
        typer.echo(json.dumps(key_store.written(new), indent=2))
        return
    made = asyncio.run(run())
    typer.echo(f"{made.purpose} {made.id} signs from {made.signs_from:%Y-%m-%d %H:%M}")


@app.command()
def compromise(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The key's id, as `greenway keys list` has it.")],
) -> None:
    """Take a key out of force at once: nothing it ever signed counts; its successor signs."""
    given = means.of(context)

    async def run() -> bool:
        async with given.authority() as found:
            return await found.keys.compromised(name)

    if not asyncio.run(run()):
        raise errors.HubError("There is no key so called.", "`greenway keys list` has them all.")
    typer.echo("The key counts no more. See “Signing keys” in docs/operating.md for what follows.")
