"""The commands about verifiers: who checks cards, and by which keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from commands import means
from commands.means import Means
from credentials import certificate
from models.verifier import KeySort, Kind, Profile, Scope
from resolvers import enrolment, menu
from resolvers.directory import Directory

T = TypeVar("T")
Code = Annotated[str, typer.Argument(help="The verifier's code.")]

app = typer.Typer(name="verifier", no_args_is_help=True, help="Partners that check cards.")


@app.command()
def register(
    context: typer.Context,
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Its name, as holders read it.")],
    contact: Annotated[str, typer.Option(help="Whom holders turn to there.")],
    kind: Annotated[Kind, typer.Option(help="What sort of partner it is.")],
    tier: Annotated[int, typer.Option(help="How it must show itself: 1, 2 or 3.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; once for each.")],
    service: Annotated[list[str], typer.Option(help="A service it asks about; once for each.")],
) -> None:
    """Register a partner that checks cards; `greenway verifier key` gives it its first key."""
    given = means.of(context)
    profile = Profile(code, name, contact, kind, tier, tuple(scope), tuple(service))

    async def act(directory: Directory) -> None:
        services = (await menu.newest(directory.database)).services
        await enrolment.register(directory, profile, services, given.now())

    _with_directory(given, act)
    typer.echo(f"{code} is registered.")


@app.command(name="key")
def add_key(
    context: typer.Context,
    code: Code,
    *,
    test: Annotated[bool, typer.Option(help="For test cards alone.")] = False,
    jwk: Annotated[
        Path | None, typer.Option(help="A file with a public P-256 key as a JWK.")
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="A file with a certificate, in PEM.")] = None,
) -> None:
    """Give a verifier a key: the JWK or certificate named, else an API key, printed once."""
    given = means.of(context)
    new = enrolment.NewKey(KeySort.API_KEY, live=not test)
    if jwk is not None:
        new = replace(new, sort=KeySort.JWK, public=means.text_of(jwk))
    elif cert is not None:
        name = certificate.of_pem(means.text_of(cert))
        new = replace(new, sort=KeySort.CERTIFICATE, name=name)
    key, secret = _with_directory(
        given, lambda all_: enrolment.add_key(all_, code, new, given.now())
    )
    typer.echo(secret or f"The key {key.name} of {code} counts.")


@app.command()
def end_key(
    context: typer.Context,
    code: Code,
    name: Annotated[str, typer.Argument(help="The key's public name.")],
) -> None:
    """End a key of a verifier, for good."""
    given = means.of(context)
    _with_directory(given, lambda all_: enrolment.end_key(all_, code, name, given.now()))
    typer.echo(f"The key {name} of {code} counts no more.")


@app.command()
def suspend(context: typer.Context, code: Code) -> None:
    """Hear a verifier no more, in any process, from a second on."""
    given = means.of(context)
    _with_directory(given, lambda all_: enrolment.suspend(all_, code, given.now()))
    typer.echo(f"{code} is suspended.")


@app.command()
def resume(context: typer.Context, code: Code) -> None:
    """Hear a verifier again, by the keys it had."""
    _with_directory(means.of(context), lambda all_: enrolment.resume(all_, code))
    typer.echo(f"{code} is heard again.")


@app.command(name="list")
def listed(context: typer.Context) -> None:
    """List the verifiers, with the keys that count."""
    for one in _with_directory(means.of(context), enrolment.everybody):
        row = one.row
        state = "suspended" if row.suspended_at else f"tier {row.tier}"
        typer.echo(f"{row.code}: {row.name}, {row.kind}, {state}, {' '.join(row.scopes)}")
        for key in one.keys:
            if key.ended_at is None:
                typer.echo(f"  {key.sort} {key.name}{'' if key.live else ', for test cards'}")


def _with_directory(given: Means, act: Callable[[Directory], Awaitable[T]]) -> T:
    async def run() -> T:
        async with given.database() as database:
            return await act(Directory(database))

    return asyncio.run(run())
