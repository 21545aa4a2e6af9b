"""The commands about trusted documents: what applications publish before they send it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import schema
from commands import means
from commands.means import Means
from models import errors
from resolvers import document as documents
from resolvers import menu, partner
from resolvers.document import Given
from schema.execution.review import Broken, Review

_BY = "greenway documents publish"
_APOLLO = "apollo-persisted-query-manifest"
Application = Annotated[str, typer.Option("--app", help="The application's name.")]
Version = Annotated[str, typer.Option(help="Its version.")]

app = typer.Typer(name="documents", no_args_is_help=True, help="What applications publish.")


@app.command()
def publish(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(help="Documents (.graphql), or manifests as Relay or Apollo write them."),
    ],
    *,
    application: Application,
    version: Version,
) -> None:
    """Publish the documents of a version of an application, once each is found good."""
    given, wanted = means.of(context), [one for file in files for one in _given(file)]

    async def run() -> documents.Listed:
        async with given.database() as database:
            return await documents.publish(
                database,
                (application, version),
                wanted,
                _review().mistakes,
                by=_BY,
                at=given.now(),
            )

    found = asyncio.run(run())
    typer.echo(f"{application} {version} sends {found.documents} documents.")


@app.command(name="list")
def listed(context: typer.Context) -> None:
    """List the versions of applications, the last published first."""
    given = means.of(context)

    async def run() -> list[documents.Listed]:
        async with given.database() as database:
            return await documents.listed(database)

    for one in asyncio.run(run()):
        row, retired = one.release, ""
        if row.retired_at is not None:
            retired = f", retired {row.retired_at:%Y-%m-%d}"
        published = f"{row.published_at:%Y-%m-%d}"
        typer.echo(
            f"{row.application} {row.version}: {one.documents} documents, {published}{retired}"
        )


@app.command()
def retire(context: typer.Context, *, application: Application, version: Version) -> None:
    """Let the documents of a version count no more, but where another sends them too."""
    given = means.of(context)

    async def run() -> None:
        async with given.database() as database:
            await documents.retire(database, (application, version), given.now())

    asyncio.run(run())
    typer.echo(f"{application} {version} is retired.")


@app.command()
def check(context: typer.Context) -> None:
    """Say which published documents this schema, menu and these partners would break."""
    broken = asyncio.run(_broken(means.of(context)))
    for one in broken:
        typer.echo(str(one))
    if broken:
        raise typer.Exit(1)
    typer.echo("Every published document holds.")


async def _broken(given: Means) -> list[Broken]:
    async with given.database() as database:
        found = await documents.in_force(database)
        installed = await partner.installed(database)
        known = documents.codes(await menu.newest(database), given.capabilities(installed))
    return _review().broken(found, known)


def _review() -> Review:
    return Review(schema.build_schema()._schema)  # noqa: SLF001 - what strawberry made of it


def _given(file: Path) -> Iterator[Given]:
    """Yield the documents of a file: one, or those of a manifest.

    Raises:
        HubError: it is neither.
    """
    text = means.text_of(file)
    if file.suffix != ".json":
        yield Given(str(file), text)
        return
    try:
        found = _texts(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise errors.HubError(
            f"{file} is no manifest of documents.",
            'Give one as Relay writes it (`{"<hash>": "<text>"}`) or as Apollo does.',
        ) from None
    for hash_, one in found:
        yield Given(f"{file} {hash_[:12]}", one, hash_)


def _texts(manifest: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON is anything
    """Return the hashes and texts in a manifest: Apollo's, or Relay's."""
    if manifest.get("format") == _APOLLO:
        return [(str(one["id"]), str(one["body"])) for one in manifest["operations"]]
    return [(hash_, str(text)) for hash_, text in manifest.items()]
