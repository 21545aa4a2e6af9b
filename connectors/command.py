"""The commands about partner files, in a shell: of the hub's own, and of a folder by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from connectors import (
    base,
    drift,
    egress,
    form,
    grade,
    http,
    manifest,
    proof,
    recording,
    registry,
    scaffold,
    transport,
)
from models import errors as mistakes
from models.offer import Capability

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """What the commands work with: where partner files are, and how partners are reached.

    ``sandbox`` and ``secrets`` are as the registry takes them; ``allow`` is where partners may be
    although it is inside.
    """

    folders: Sequence[Path] = (registry.PARTNERS,)
    sandbox: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    allow: Sequence[egress.Place] = ()

    def entry(self, slug: str) -> tuple[Path, manifest.Entry]:
        """Return a partner's file: where it is, and what it says.

        Raises:
            HubError: there is none, or it has mistakes.
        """
        known = registry.files(self.folders)
        if slug not in known:
            hint = mistakes.did_you_mean(mistakes.nearest(slug, known))
            raise mistakes.HubError(f"There is no partner file “{slug}”.", hint)
        return known[slug], manifest.load(known[slug], registry.kinds())


app = typer.Typer(no_args_is_help=True, add_completion=False, help="Partner files.")

Folders = Annotated[
    list[Path] | None, typer.Argument(help="Further folders of partner files.", exists=True)
]
Slug = Annotated[str, typer.Argument(help="The partner's slug.")]
When = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"])]


@app.command()
def check(
    context: typer.Context,
    folders: Folders = None,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="A file that shows no failure has a mistake too.")
    ] = False,
) -> None:
    """Print every mistake: file, line, path, what is wrong, the nearest right spelling."""
    everywhere = [*_bench(context).folders, *(folders or ())]
    known = registry.files(everywhere)
    found = registry.check(everywhere)
    wrong = {one.file for one in found}
    for path in known.values():
        if manifest.shown(path) not in wrong:
            entry = manifest.load(path, registry.kinds())
            found += asyncio.run(registry.disproved(entry))
            if strict and not any(one.problem for one in entry.manifest.examples):
                sentence = "No example shows what becomes of a failure."
                hint = "Add one that answers an error, and its `problem`."
                found.append(entry.document.mistake(("examples",), sentence, hint))
    for mistake in sorted(found):
        typer.echo(mistake)
    many = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    typer.echo(f"{len(known)} partner files, {many}.")
    if found:
        raise typer.Exit(1)


@app.command(name="list")
def listed(context: typer.Context, folders: Folders = None) -> None:
    """Print each partner: its kind, its version, the grade of its file, whether it is at work."""
    bench = _bench(context)
    everywhere = [*bench.folders, *(folders or ())]
    found = registry.Registry.load(
        everywhere, http.HTTPClient(), bench.sandbox, bench.secrets, lambda: datetime.now(UTC)
    )
    for slug, path in registry.files(everywhere).items():
        if slug in found.set_aside:
            many = len(found.set_aside[slug])
            typer.echo(f"{slug:32} set aside, mistakes: {many}")
            continue
        entry = manifest.load(path, registry.kinds())
        earned = asyncio.run(grade.of_file(entry.manifest, entry.kind, entry.options))
        state = "at work" if slug in found.partners else "left out: the sandbox does not run"
        version = entry.manifest.version
        typer.echo(f"{slug:32} {entry.kind.slug:12} {version:8} {grade.reached(earned):8} {state}")


@app.command(name="test")
def played(
    context: typer.Context,
    what: Annotated[str | None, typer.Argument(help="A partner's slug, or a folder.")] = None,
) -> None:
    """Play the examples of partner files, without a network; print what does not hold."""
    bench = _bench(context)
    folder = Path(what) if what and Path(what).is_dir() else None
    files = registry.files([folder] if folder else bench.folders)
    if what and folder is None:
        files = {what: bench.entry(what)[0]}
    failed = 0
    for slug, path in files.items():
        entry = manifest.load(path, registry.kinds())
        proved = asyncio.run(proof.prove(entry))
        for example, wrong in zip(entry.manifest.examples, proved, strict=True):
            failed += bool(wrong)
            typer.echo(f"{'FAILED' if wrong else 'ok':7}{slug}: {example.name}")
            for sentence in wrong:
                typer.echo(f"       {sentence}")
    if failed:
        typer.echo(f"Examples that do not hold: {failed}.")
        raise typer.Exit(1)


@app.command()
def record(
    context: typer.Context,
    slug: Slug,
    capability: Annotated[Capability, typer.Argument(help="The shape asked for.")],
    topic: Annotated[str, typer.Argument(help="The partner's word for what is asked.")],
    name: Annotated[str, typer.Option(help="What the example shows.")] = "",
    since: When = None,
    days: Annotated[int, typer.Option(min=1, help="For how many days it is asked.")] = 14,
) -> None:
    """Ask a partner, and write its answer into its file as an example: without a secret."""
    bench = _bench(context)
    path, entry = bench.entry(slug)
    begins = _aware(since)
    asked = base.Inquiry(capability, topic, begins, begins + timedelta(days=days))
    address = manifest.address(entry, bench.sandbox)
    title = name or f"{capability}: {topic}, recorded on {begins:%Y-%m-%d}"
    example = _live(
        bench,
        lambda carry: recording.record(entry, [asked], title, address, bench.secrets, carry),
    )
    recording.append(path, example, registry.kinds())
    offers = len(example["offers"][0])
    typer.echo(f"{manifest.shown(path)}: an example more, with {offers} offers.")
    for caution in recording.cautions(example):
        typer.echo(f"Look at it before you share it: it seems to hold {caution}.")


@app.command(name="drift")
def drifted(
    context: typer.Context,
    slug: Slug,
    since: When = None,
    *,
    as_recorded: Annotated[
        bool, typer.Option("--as-recorded", help="Ask for the very times of the recording.")
    ] = False,
) -> None:
    """Ask a partner what its examples ask; print where its answers have another shape."""
    bench = _bench(context)
    _, entry = bench.entry(slug)
    address = manifest.address(entry, bench.sandbox)
    begins = None if as_recorded else _aware(since)
    found = _live(bench, lambda carry: drift.drifted(entry, address, bench.secrets, carry, begins))
    for example, several in found.items():
        typer.echo(f"{example}: {'' if several else 'as it was recorded.'}")
        for one in several:
            typer.echo(f"  {'' if one.breaks else '(note) '}{one}")
    if any(one.breaks for several in found.values() for one in several):
        raise typer.Exit(1)


@app.command()
def new(
    context: typer.Context,
    slug: Slug,
    *,
    curl: Annotated[str, typer.Option(help="A `curl` line that asks the partner.")] = "",
    openapi: Annotated[Path | None, typer.Option(help="Its OpenAPI file.", exists=True)] = None,
    operation: Annotated[str, typer.Option(help="Which operation of the OpenAPI file.")] = "",
    capability: Annotated[Capability | None, typer.Option(help="What its offers are.")] = None,
    answer: Annotated[
        Path | None, typer.Option(help="Its answer in a file: nobody is asked.", exists=True)
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the file is put.")] = Path(),
) -> None:
    """Begin a partner file: what it calls, what is made of it, and an example that holds."""
    bench = _bench(context)
    path = folder / f"{slug}.yaml"
    if path.exists():
        raise mistakes.HubError(f"There is a {path} already.", "It is left as it is.")
    if bool(curl) == bool(openapi):
        raise mistakes.HubError("Give either --curl or --openapi.")
    begun = (
        scaffold.from_openapi(openapi, operation, slug)
        if openapi
        else scaffold.from_curl(curl, slug)
    )
    if answer:
        begun = replace(begun, answer=answer.read_bytes())
    kinds = registry.kinds()
    if begun.answer is None:
        text = _live(bench, lambda carry: scaffold.file(slug, begun, carry, kinds, capability))
    else:
        text = asyncio.run(scaffold.file(slug, begun, None, kinds, capability))
    path.write_text(text, encoding="utf-8")
    typer.echo(f"{path}: begun, with an example that holds. Its owner and its texts are yours.")
    if begun.credentials:
        name = next(iter(begun.credentials.values()))["secret"]
        variable = f"GREENWAY_SECRET_{name.upper().replace('-', '_')}"
        typer.echo(f"It names the secret “{name}”: put its value into {variable}.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a partner file, for editors."""
    typer.echo(json.dumps(form.schema(registry.kinds()), ensure_ascii=False, indent=2))


def _bench(context: typer.Context) -> Bench:
    made: Callable[[], Bench] = context.obj or Bench
    return made()


def _aware(since: datetime | None) -> datetime:
    """Return a time with its zone, this machine's where none is given; now, if there is none."""
    return (since or datetime.now(UTC).replace(microsecond=0)).astimezone()


def _live(bench: Bench, ask: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Return what comes of calls over sockets."""

    async def run() -> T:
        sockets = transport.Sockets(bench.allow)
        try:
            return await ask(sockets.send)
        finally:
            await sockets.close()

    return asyncio.run(run())
