"""Finds kinds and partner files, and makes partners of them; a file with mistakes harms no other.

A registry never changes. The next one takes over the partners whose files are as they were, and a
query keeps the one that it began with.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import inspect
import logging
import pkgutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, TypeGuard

from connectors import base, errors, http, manifest, partner, proof, rollout
from connectors import kinds as kinds_package
from models import errors as mistakes
from models import source
from models.once import Once

#: The partners that come with the hub.
PARTNERS = Path(__file__).parent / "partners"
#: The entry points under which installed packages give further kinds: a module by its kind's slug.
FURTHER_KINDS = "greenway.kinds"

_NOBODY: Mapping[str, str] = MappingProxyType({})
_log = logging.getLogger("greenway.connectors")

Mistakes = tuple[mistakes.Mistake, ...]
_NO_MISTAKES: Mapping[str, Mistakes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class File:
    """A partner file as it was found somewhere; ``name`` is what complaints call it.

    What could not be read has no text, but a mistake.
    """

    slug: str
    text: str = field(repr=False)
    name: str
    mistakes: Mistakes = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.text.encode(errors="replace")).hexdigest()
        object.__setattr__(self, "digest", digest)

    @classmethod
    def at(cls, path: Path) -> File:
        """Return the file at a path, whatever stands there."""
        name = manifest.shown(path)
        try:
            return cls(path.stem, source.text(path, name), name)
        except mistakes.MistakesError as wrong:
            return cls(path.stem, "", name, wrong.mistakes)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The files by which a partner is to be asked: the one in force, and one on trial."""

    in_force: File
    on_trial: File | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Registry:
    """The partners at work, and those set aside with their mistakes; both by slug, sorted.

    ``candidates`` are those on trial beside one at work. ``refused`` has the mistakes of a newer
    file of a partner that goes on by its last good one. ``suppliers`` has, by fact, the slug of
    the partner at work that supplies it.
    """

    workshop: Workshop
    partners: Mapping[str, partner.Partner] = field(default_factory=dict)
    set_aside: Mapping[str, Mistakes] = field(default_factory=dict)
    suppliers: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[str, rollout.Candidate] = field(default_factory=dict)
    refused: Mapping[str, Mistakes] = field(default_factory=dict)
    #: What the layer above made of these partners.
    once: Once = field(default_factory=Once, init=False, compare=False, repr=False)

    @classmethod
    def load(
        cls,
        folders: Sequence[Path],
        client: http.HTTPClient,
        sandbox: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        always_live: bool = False,
    ) -> Registry:
        """Return the registry of every partner file in these folders, as ``Workshop`` makes it."""
        return Workshop(client, sandbox, secrets, clock, always_live=always_live).load(folders)

    @property
    def kinds(self) -> manifest.Kinds:
        """Every kind of partner, by slug."""
        return self.workshop.kinds

    @property
    def in_force(self) -> Mapping[str, partner.Partner]:
        """The partners at work, none of them on trial."""
        found = {slug: one.in_force for slug, one in self.candidates.items()}
        return {**self.partners, **found}

    def begun(self) -> Registry:
        """Return what one query goes by: with those on trial whose turn it is."""
        if not self.candidates:
            return self
        tried = {slug: one for slug, one in self.candidates.items() if one.takes()}
        return replace(self, partners={**self.partners, **tried})


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a file; ``client`` is what its connector asks through."""

    connector: base.Connector[Any]
    client: http.PartnerClient
    partner: partner.Partner


_Key = tuple[str, str]


class Workshop:
    """Makes partners of files, and a registry of partners; keeps those that go on.

    Args:
        client: The hub's HTTP client.
        sandbox: Base URLs of the sandbox's systems, by name. Where it is empty none runs, and
            partners of the sandbox are left out.
        secrets: The secrets by the names that partner files use.
        clock: Tells the time, aware.
        always_live: Ask for every query, whatever is freshly remembered.
        deadline_seconds: The longest that a query goes on asking.

    Raises:
        KindError: a module that should hold a kind holds none.
    """

    def __init__(
        self,
        client: http.HTTPClient,
        sandbox: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        always_live: bool = False,
        deadline_seconds: float = 0.0,
    ) -> None:
        self.kinds = kinds()
        self._client = client
        self._sandbox = sandbox
        self._secrets = secrets
        self._clock = clock
        self._always_live = always_live
        self._deadline_seconds = deadline_seconds
        self._read: dict[_Key, manifest.Entry] = {}
        self._made: dict[_Key, _Made] = {}
        self._retired: list[tuple[float, http.PartnerClient]] = []
        self._last = Registry(self)

    def load(self, folders: Sequence[Path], installed: Iterable[File] = ()) -> Registry:
        """Return the registry of every partner file in these folders, each in force.

        Files that were ``installed`` count before those of the same name.
        """
        found = {slug: File.at(path) for slug, path in files(folders).items()}
        found |= {one.slug: one for one in installed}
        good, wrong = self.checked(found.values())
        return self.registry({slug: Wanted(one) for slug, one in good.items()}, wrong)

    def check(self, file: File, suppliers: Mapping[str, str] = _NOBODY) -> manifest.Entry | None:
        """Return what a file says, or None where it is of the sandbox and that does not run.

        It takes as long as the file is large, and may be called in a thread.

        Raises:
            MistakesError: the file has mistakes, names a secret that the hub was not given, or
                supplies what one of these ``suppliers`` does.
        """
        if file.mistakes:
            raise mistakes.MistakesError(file.mistakes)
        if (entry := self._read.get(_key(file))) is None:
            entry = manifest.read(source.parse(file.text, file.name), file.slug, self.kinds)
        if not self._sandbox and entry.manifest.address.startswith(manifest.SANDBOX):
            _log.info("%s is left out: the sandbox does not run", file.slug)
            return None
        manifest.address(entry, self._sandbox)
        manifest.credentials(entry, self._secrets)
        _refuse_second_suppliers(entry, suppliers)
        self._read[_key(file)] = entry
        return entry

    def checked(
        self, found: Iterable[File], suppliers: Mapping[str, str] = _NOBODY
    ) -> tuple[dict[str, File], dict[str, Mistakes]]:
        """Return, by slug, the files that ``check`` passes, and the mistakes of those it does not.

        Those left out are in neither; those of whom a partner is made already pass.
        """
        good: dict[str, File] = {}
        wrong: dict[str, Mistakes] = {}
        for file in found:
            try:
                if _key(file) in self._made or self.check(file, suppliers) is not None:
                    good[file.slug] = file
            except mistakes.MistakesError as refused:
                wrong[file.slug] = refused.mistakes
        return good, wrong

    async def disproved(self, files: Iterable[File]) -> dict[str, Mistakes]:
        """Return, by slug, the mistakes of those files that ``check`` passed and examples do not.

        Those of whom a partner is made already have shown theirs.
        """
        read = {file.slug: self._read.get(_key(file)) for file in files}
        found = {slug: await disproved(entry) for slug, entry in read.items() if entry is not None}
        return {slug: wrong for slug, wrong in found.items() if wrong}

    def described(self, file: File) -> manifest.Manifest:
        """Return what a file says that ``check`` has passed since the last registry."""
        made = self._made.get(_key(file))
        return made.partner.manifest if made else self._read[_key(file)].manifest

    def registry(
        self, wanted: Mapping[str, Wanted], wrong: Mapping[str, Mistakes] = _NO_MISTAKES
    ) -> Registry:
        """Return the registry of these files; what goes on as it was is taken over from the last.

        Args:
            wanted: The files that partners are to be asked by, by slug; all ``checked``.
            wrong: The mistakes of files that none is to be asked by, by slug.
        """
        wrong = dict(wrong)
        made: dict[_Key, _Made] = {}
        partners: dict[str, partner.Partner] = {}
        candidates: dict[str, rollout.Candidate] = {}
        suppliers: dict[str, str] = {}
        # Who is at work already goes first: a newcomer takes nothing from them.
        for slug in sorted(wanted, key=lambda one: (one not in self._last.partners, one)):
            try:
                for file, one in self._several(wanted[slug], suppliers):
                    made[_key(file)] = one
                    if slug not in partners:
                        partners[slug] = one.partner
                        suppliers |= dict.fromkeys(one.partner.manifest.supplies, slug)
                    elif (tried := self._candidate(file, one, partners[slug])) is not None:
                        candidates[slug] = tried
            except mistakes.MistakesError as refused:
                wrong.setdefault(slug, refused.mistakes)
        self._retire([one for key, one in self._made.items() if key not in made])
        self._made = made
        self._read.clear()
        found = Registry(
            self,
            dict(sorted(partners.items())),
            {slug: some for slug, some in sorted(wrong.items()) if slug not in partners},
            suppliers,
            candidates,
            {slug: some for slug, some in wrong.items() if slug in partners},
        )
        _tell(found, self._last)
        self._last = found
        return found

    async def drain(self) -> None:
        """Close what partners were asked through that are at work no more, once nobody can ask."""
        now = asyncio.get_running_loop().time()
        due = [client for at, client in self._retired if at <= now]
        self._retired = [one for one in self._retired if one[0] > now]
        for client in due:
            await self._client.forget(client)

    def _several(
        self, wanted: Wanted, suppliers: Mapping[str, str]
    ) -> Iterator[tuple[File, _Made]]:
        """Yield what is made of a partner's files, or was made before: the one in force first.

        Raises:
            MistakesError: one cannot be at work beside these suppliers.
        """
        for file in filter(None, (wanted.in_force, wanted.on_trial)):
            if (known := self._made.get(_key(file))) is None:
                _refuse_second_suppliers(entry := self._read[_key(file)], suppliers)
                known = self._make(entry)
            yield file, known

    def _make(self, entry: manifest.Entry) -> _Made:
        client = self._client.partner(
            entry.manifest.slug,
            manifest.address(entry, self._sandbox),
            entry.manifest.limits.policy(),
            manifest.credentials(entry, self._secrets),
            entry.manifest.hosts,
        )
        connector = entry.kind(entry.options, client)
        at_work = partner.Partner(
            entry.manifest, connector, self._clock, always_live=self._always_live
        )
        return _Made(connector, client, at_work)

    def _candidate(
        self, file: File, made: _Made, in_force: partner.Partner
    ) -> rollout.Candidate | None:
        """Return a partner on trial; the same one while its trial goes on."""
        described = made.partner.manifest
        last = self._last.candidates.get(described.slug)
        if last is not None and last.manifest is described and last.in_force is in_force:
            return last
        if described.rollout is None:
            return None
        return rollout.Candidate(
            described, made.connector, self._clock, file.digest, in_force, described.rollout
        )

    def _retire(self, several: Sequence[_Made]) -> None:
        """Let what nobody begins to ask any more answer those who have begun."""
        for one in several:
            lasts = self._deadline_seconds + one.client.policy.deadline_seconds
            self._retired.append((asyncio.get_running_loop().time() + lasts, one.client))


class Watch:
    """Looks at folders of partner files; of two files with one slug the last folder's counts."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._seen: dict[str, _Mark] | None = None
        self._marks: dict[str, _Mark] = {}
        self._found: dict[str, File] = {}

    def marks(self) -> Hashable:
        """Return what is another when any of the files is."""
        return tuple(_marks(self._folders).values())

    def look(self) -> Mapping[str, File]:
        """Return the files by slug; the same mapping as the last time where nothing has changed.

        What has changed counts once it has stood still from one look to the next: a file may be
        half written. A folder that is away leaves everything as it was.
        """
        marks = _marks(self._folders)
        stands_still = self._seen is None or marks == self._seen
        self._seen = marks
        if stands_still and marks != self._marks and self._are_there():
            self._found = {
                slug: self._found[slug] if mark == self._marks.get(slug) else File.at(mark[0])
                for slug, mark in marks.items()
            }
            self._marks = marks
        return self._found

    def _are_there(self) -> bool:
        held = {mark[0].parent for mark in self._marks.values()}
        return all(folder.is_dir() for folder in held)


#: A file's path, and what changes when it does: its time (ns), its size, its number on the disk.
_Mark = tuple[Path, int, int, int]


def _marks(folders: Sequence[Path]) -> dict[str, _Mark]:
    found = {}
    for slug, path in files(folders).items():
        # A file may go while it is looked at.
        with contextlib.suppress(OSError):
            stat = path.stat()
            found[slug] = (path, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def _tell(found: Registry, last: Registry) -> None:
    """Log what is refused that was not so before."""
    for said, now, before in (
        ("%s is set aside:\n%s", found.set_aside, last.set_aside),
        ("%s goes on by its last good file:\n%s", found.refused, last.refused),
    ):
        for slug, wrong in now.items():
            if before.get(slug) != wrong:
                _log.error(said, slug, "\n".join(map(str, wrong)))


def _key(file: File) -> _Key:
    return file.slug, file.digest


async def disproved(entry: manifest.Entry) -> Mistakes:
    """Return a mistake for each example of a file that does not hold."""
    wrong = await proof.prove(entry)
    return tuple(
        entry.document.mistake(
            ("examples", place), f"The example “{mistakes.shown(example.name)}” does not hold.", why
        )
        for place, example in enumerate(entry.manifest.examples)
        for why in wrong[place][:1]
    )


def _refuse_second_suppliers(entry: manifest.Entry, suppliers: Mapping[str, str]) -> None:
    """Let pass only who supplies what nobody else does: of two answers, neither were to be told.

    Raises:
        MistakesError: a partner at work supplies one of these facts already.
    """
    found = [
        entry.document.mistake(
            ("supplies", place),
            f"“{suppliers[name]}” supplies `{name}` already.",
            "One partner supplies a fact.",
        )
        for place, name in enumerate(entry.manifest.supplies)
        if suppliers.get(name, entry.manifest.slug) != entry.manifest.slug
    ]
    if found:
        raise mistakes.MistakesError(found)


def check(folders: Sequence[Path]) -> list[mistakes.Mistake]:
    """Return every mistake in the partner files of these folders, one beside the other.

    Raises:
        KindError: a module of kinds/ is none.
    """
    found: list[mistakes.Mistake] = []
    suppliers: dict[str, str] = {}
    known = kinds()
    for path in files(folders).values():
        try:
            entry = manifest.load(path, known)
            _refuse_second_suppliers(entry, suppliers)
        except mistakes.MistakesError as wrong:
            found += wrong.mistakes
        else:
            suppliers |= dict.fromkeys(entry.manifest.supplies, entry.manifest.slug)
    return found


def files(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the partner files in these folders, by slug and sorted; the last folder's counts."""
    found = {path.stem: path for folder in folders for path in folder.glob("*.yaml")}
    return dict(sorted(found.items()))


def kinds(package: ModuleType = kinds_package) -> dict[str, type[base.Connector[Any]]]:
    """Return every kind of partner in a package and in further installed ones, by slug.

    Raises:
        KindError: a module is neither abstract nor slugged by its own name, or takes the name of
            a kind of this package.
    """
    modules = {
        one.name: f"{package.__name__}.{one.name}" for one in pkgutil.iter_modules(package.__path__)
    }
    for further in metadata.entry_points(group=FURTHER_KINDS):
        if modules.setdefault(further.name, further.module) != further.module:
            raise errors.KindError(further.module)
    return {kind.slug: kind for name, module in modules.items() for kind in _kinds_in(module, name)}


def _kinds_in(name: str, slug: str) -> list[type[base.Connector[Any]]]:
    module = importlib.import_module(name)
    own = [kind for kind in vars(module).values() if _is_own(kind, module)]
    whole = [kind for kind in own if not inspect.isabstract(kind)]
    if not own or [getattr(kind, "slug", "") for kind in whole] not in ([], [slug]):
        raise errors.KindError(name)
    return whole


def _is_own(thing: object, module: ModuleType) -> TypeGuard[type[base.Connector[Any]]]:
    return (
        inspect.isclass(thing)
        and issubclass(thing, base.Connector)
        and thing.__module__ == module.__name__
    )
