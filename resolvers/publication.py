"""From the menu folder to a published menu: read all of it, check all of it, publish it whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from eligibility import lint, rulebook, subsidy
from eligibility.rule import Rule, Span
from eligibility.single import Judge
from models import errors, menu, source
from models.database import Database, Session
from models.offer import Capability

#: What each partner may be asked for, by the partner's slug.
Capabilities = Mapping[str, frozenset[Capability]]

#: The lists of the menu: the file ``<name>.yaml`` holds the entries of ``Menu.<name>``.
_LISTS: Mapping[str, type[menu.Shape]] = {
    "sources": menu.Source,
    "categories": menu.Category,
    "platform_areas": menu.PlatformArea,
    "policies": menu.PolicyFamily,
    "industries": menu.Industry,
    "areas": menu.Area,
    "documents": menu.DocumentKind,
    "stations": menu.Station,
    "journeys": menu.Journey,
    "figures": menu.Figure,
    "points": menu.PointsTable,
    "pay_lines": menu.PayLine,
    "zones": menu.Zone,
    "city_rules": menu.CityRule,
}

#: Where an entry names an entry of another list: its path without places, the noun, the list.
_NAMED: Mapping[str, Mapping[tuple[str, ...], tuple[str, str]]] = {
    "areas": {("policy",): ("policy family", "policies")},
    "figures": {("part_of",): ("figure", "figures")},
    "journeys": {("services",): ("service", "services")},
    "services": {
        ("category",): ("category", "categories"),
        ("areas",): ("card area", "areas"),
        ("platform_areas",): ("platform area", "platform_areas"),
        ("policies",): ("policy family", "policies"),
        ("industries",): ("industry", "industries"),
        ("documents", "document"): ("document", "documents"),
        ("where", "stations"): ("station", "stations"),
        ("where", "windows"): ("window", "windows"),
        ("partners", "partner"): ("partner", "partners"),
    },
}
#: The keys that name a source wherever they stand: in a citation, in a clause of a rule.
_NAMES_SOURCE = ("source", "reference")

S = TypeVar("S", bound=menu.Shape)


def read(folder: Path, partners: Capabilities) -> menu.Menu:
    """Return the menu in a folder, checked as a whole.

    Raises:
        MistakesError: the mistakes in every file.
    """
    return _checked(_Reading.of_folder(folder), partners)


def revised(found: menu.Menu, code: str, text: str | None, partners: Capabilities) -> menu.Menu:
    """Return a menu with the service of this text in the place of the one so called, or beside it.

    Without a text it is the menu without that service. All of it is checked; mistakes elsewhere
    than in the text (what requires a service that is gone) are on line 1.

    Raises:
        MistakesError: the mistakes in the text, and in the menu as it would be.
    """
    return _checked(_Reading.of_menu(found, code, text), partners)


def service_of(code: str, text: str) -> menu.Service | None:
    """Return the service that a text says, unchecked; None where it is not of a service's shape."""
    try:
        return source.validate(source.parse(text, _file_of(code)), menu.Service)
    except errors.MistakesError:
        return None


def _checked(reading: _Reading, partners: Capabilities) -> menu.Menu:
    _Checking(reading, partners).check()
    if reading.mistakes:
        raise errors.MistakesError(reading.mistakes)
    lists: dict[str, Any] = reading.lists
    return menu.Menu(**lists, services=tuple(one for _, one in reading.services if one))


async def publish(
    database: Database,
    folder: Path,
    partners: Callable[[], Capabilities],
    at: datetime,
    *,
    replace: bool = False,
) -> tuple[int, bool]:
    """Publish the menu in a folder; return its revision, and whether it is a new one.

    Publishing what is in force already changes nothing, and files that are the same as those the
    newest revision was read from are not read again. ``replace``: undo what was published through
    the endpoint, where the folder has it otherwise.

    Raises:
        MistakesError: it has mistakes; what was published before stays in force.
        MenuAheadError: it would undo what was published through the endpoint.
    """
    files = digest(folder)
    async with database.session() as session:
        newest = await menu.newest(session)
    if newest is not None and newest.source == files and not replace:
        return newest.id, False
    found = read(folder, partners())
    async with database.begin() as session:
        await menu.alone(session)
        newest = await menu.newest(session)
        if newest is not None and newest.digest == menu.packed(found)[0]:
            newest.source = files
            return newest.id, False
        if newest is not None and not replace:
            await _nothing_undone(session, newest, found)
        revision = menu.publish(session, found, files, at)
        await session.flush()
        return revision.id, True


async def _nothing_undone(session: Session, newest: menu.Revision, found: menu.Menu) -> None:
    later = {one.service for one in await menu.since_folder(session) if one.service}
    in_force = await menu.of_revision(session, newest) if later else found
    ours, theirs = ({one.code: one for one in of.services} for of in (found, in_force))
    if undone := sorted(code for code in later if ours.get(code) != theirs.get(code)):
        raise errors.MenuAheadError(undone)


async def pull(database: Database, folder: Path) -> list[str]:
    """Take what was published through the endpoint into a folder; return the services' codes.

    Their files are written as they were sent, or removed where the service was withdrawn.
    """
    async with database.session() as session:
        later = {one.service: one.text for one in await menu.since_folder(session) if one.service}
    for code, text in later.items():
        path = folder / "services" / f"{code}.yaml"
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text, encoding="utf-8")
    return sorted(later)


def digest(folder: Path) -> str:
    """Return the SHA-256 (hex) of the names and bytes of a menu folder's files."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        body = path.read_bytes()
        found.update(f"{path.relative_to(folder)} {len(body)}\n".encode() + body)
    return found.hexdigest()


@dataclass
class _Reading:
    """One reading of a menu: what could be read, and what was wrong so far.

    A document that has not its shape is kept, so that its other mistakes are found as well.
    ``only`` is the one service that is not as it was when all was checked; None: nothing was.
    """

    mistakes: list[errors.Mistake] = field(default_factory=list)
    documents: dict[str, source.Document] = field(default_factory=dict)
    lists: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    services: list[tuple[source.Document, menu.Service | None]] = field(default_factory=list)
    service_codes: list[str] = field(default_factory=list)
    only: str | None = None

    @classmethod
    def of_folder(cls, folder: Path) -> _Reading:
        reading = cls()

        def document(path: Path) -> source.Document | None:
            file = str(path.relative_to(folder.parent))
            return reading.document(lambda: source.read(path, file))

        for name, shape in _LISTS.items():
            if found := document(folder / f"{name}.yaml"):
                reading.documents[name] = found
                listed = reading.shaped(found, _listing(shape))
                reading.lists[name] = listed.root if listed else ()
        for path in sorted((folder / "services").glob("*.yaml")):
            reading.service_codes.append(path.stem)
            if found := document(path):
                reading.services.append((found, reading.shaped(found, menu.Service)))
        return reading

    @classmethod
    def of_menu(cls, found: menu.Menu, code: str, text: str | None) -> _Reading:
        reading = cls(only=code)
        written = found.model_dump(mode="json")
        for name in _LISTS:
            reading.documents[name] = source.Document(f"menu/{name}.yaml", written[name], None)
            reading.lists[name] = getattr(found, name)
        services = {
            one.code: (source.Document(_file_of(one.code), data, None), one)
            for one, data in zip(found.services, written["services"], strict=True)
            if one.code != code
        }
        reading.service_codes = [*services]
        reading.services = [*services.values()]
        if text is not None:
            reading.service_codes.append(code)
            document = reading.document(lambda: source.parse(text, _file_of(code)))
            if document:
                reading.services.append((document, reading.shaped(document, menu.Service)))
        # In the order of a folder, so that it is the same menu.
        reading.services.sort(key=lambda one: one[0].file)
        return reading

    def document(self, read: Callable[[], source.Document]) -> source.Document | None:
        try:
            return read()
        except errors.MistakesError as wrong:
            self.mistakes.extend(wrong.mistakes)
            return None

    def shaped(self, document: source.Document, shape: type[Any]) -> Any:
        try:
            return source.validate(document, shape)
        except errors.MistakesError as wrong:
            self.mistakes.extend(wrong.mistakes)
            return None

    def codes(self) -> dict[str, list[str]]:
        """Return what may be named, by list; a list that cannot be read forbids nothing."""
        codes = {name: _codes(document.data) for name, document in self.documents.items()}
        if "stations" in self.documents:
            codes["windows"] = [
                f"{station['code']}/{window}"
                for station in _coded(self.documents["stations"].data)
                for window in _codes(station.get("windows"))
            ]
        return codes | {"services": self.service_codes}


def _listing(shape: type[S]) -> type[pydantic.RootModel[tuple[S, ...]]]:
    return pydantic.RootModel[tuple[shape, ...]]  # type: ignore[valid-type]  # made at run time


def _file_of(code: str) -> str:
    return f"menu/services/{code}.yaml"


@dataclass
class _Checking:
    """The checks that need more than one file, or the rules."""

    reading: _Reading
    partners: Capabilities

    def check(self) -> None:
        codes = self.reading.codes() | {"partners": list(self.partners)}
        for name, document in self.reading.documents.items():
            self.twice(document)
            self.names(name, document, codes)
        self.zones()
        rules = self.rules()
        entangled = self.rules_of_services(rules)
        for document, service in self.reading.services:
            self.names("services", document, codes)
            if service:
                code = Path(document.file).stem
                self.service(document, service, None if code in entangled else rules.get(code))
        self.empty_categories()

    def wrong(self, mistake: errors.Mistake) -> None:
        self.reading.mistakes.append(mistake)

    def twice(self, document: source.Document) -> None:
        seen: set[str] = set()
        for at, word in _words(document.data):
            if at[1:] == ("code",):
                if word in seen:
                    shown = errors.shown(word)
                    self.wrong(document.mistake(at, f"“{shown}” stands here twice."))
                seen.add(word)

    def names(
        self, name: str, document: source.Document, codes: Mapping[str, Sequence[str]]
    ) -> None:
        for at, word in _words(document.data):
            path = tuple(step for step in at if isinstance(step, str))
            noun, listed = _NAMED.get(name, {}).get(path, ("", ""))
            if path and path[-1] in _NAMES_SOURCE:
                noun, listed = "source", "sources"
            if listed in codes:
                self.known(document, at, noun, word, codes[listed])

    def known(
        self,
        document: source.Document,
        at: source.Location,
        noun: str,
        code: str,
        known: Sequence[str],
    ) -> bool:
        if code in known:
            return True
        hint = errors.did_you_mean(errors.nearest(code, known))
        self.wrong(document.mistake(at, f"There is no {noun} “{errors.shown(code)}”.", hint))
        return False

    def zones(self) -> None:
        """A zone is a clause of every rule that has something otherwise in it."""
        for place, zone in enumerate(self.reading.lists.get("zones", ())):
            if lacks := zone.text.lacks():
                sentence = f"This sentence is missing in: {', '.join(lacks)}."
                self.wrong(self.reading.documents["zones"].mistake((place, "text"), sentence))

    def rules(self) -> Mapping[str, Rule]:
        services = {Path(document.file).stem: document for document, _ in self.reading.services}
        found, mistakes = rulebook.read(self.reading.lists, self.reading.documents, services)
        self.reading.mistakes.extend(mistakes)
        return found.rules

    def rules_of_services(self, rules: Mapping[str, Rule]) -> set[str]:
        """Check the rules as a whole; return the services of those that nobody can look through."""
        subjects = {}
        for document, service in self.reading.services:
            code, valid = Path(document.file).stem, service and service.valid
            if valid and code in rules and (valid.until is None or valid.since <= valid.until):
                span = Span(valid.since, valid.until)
                subjects[code] = lint.Subject(document, rules[code], span)
        entangled = set()
        for code, subject in subjects.items():
            if self.reading.only in {None, code, *lint.required(subject.rule)}:
                found = lint.mistakes(code, subjects)
                self.reading.mistakes.extend(found)
                if any(one.sentence == lint.ENTANGLED for one in found):
                    entangled.add(code)
        return entangled

    def service(self, document: source.Document, service: menu.Service, found: Rule | None) -> None:
        if (name := Path(document.file).stem) != service.code:
            self.wrong(document.mistake(("code",), f"The file is called “{name}”."))
        for place, ask in enumerate(service.partners):
            self.ask(document, ("partners", place, "capability"), ask)
        self.dates(document, service)
        if service.subsidy:
            self.reading.mistakes.extend(subsidy.read(document, service.subsidy)[1])
        if found:
            for place, example in enumerate(service.examples):
                self.example(document, ("examples", place), service, example, found)

    def ask(self, document: source.Document, at: source.Location, ask: menu.Ask) -> None:
        gives = self.partners.get(ask.partner)
        if gives is not None and ask.capability not in gives:
            sentence = (
                f"Partner {ask.partner} gives {', '.join(sorted(gives))}, never {ask.capability}."
            )
            self.wrong(document.mistake(at, sentence))

    def dates(self, document: source.Document, service: menu.Service) -> None:
        valid, assured = service.valid, service.assured
        if valid.until is not None and valid.until < valid.since:
            self.wrong(document.mistake(("valid", "until"), "This day is before `since`."))
        if assured.stale_after <= assured.at:
            self.wrong(document.mistake(("assured", "stale_after"), "This day is not after `at`."))

    def example(
        self,
        document: source.Document,
        at: source.Location,
        service: menu.Service,
        example: menu.ServiceExample,
        found: Rule,
    ) -> None:
        before = len(self.reading.mistakes)
        facts = rulebook.known_facts()
        given = {}
        for name, value in example.given.items():
            where = (*at, "given", name)
            if not self.known(document, where, "fact", name, tuple(facts)):
                continue
            given[name] = facts[name].taken(value)
            if given[name] is None:
                sentence = f"“{errors.shown(str(value))}” is no value of `{name}`."
                hint = errors.did_you_mean(errors.nearest(str(value), facts[name].choices))
                self.wrong(document.mistake(where, sentence, hint))
        if len(self.reading.mistakes) > before:
            return
        verdict = Judge(found.on(example.on or service.assured.at)).judge(given)
        said = {
            "outcome": (example.outcome, verdict.outcome.value),
            "reasons": (example.reasons, tuple(one.said.id for one in verdict.reasons)),
            "missing": (example.missing, verdict.missing),
        }
        for key, (expected, judged) in said.items():
            if expected is not None and _unordered(expected) != _unordered(judged):
                shown = judged if isinstance(judged, str) else ", ".join(judged) or "none"
                sentence = f"The rule says otherwise: {shown}."
                self.wrong(document.mistake((*at, key), sentence))

    def empty_categories(self) -> None:
        listed = self.reading.documents.get("categories")
        if listed is None or len(self.reading.services) < len(self.reading.service_codes):
            return  # A service that cannot be read may be the one of its category.
        documents = [document for document, _ in self.reading.services]
        filled = {word for one in documents for at, word in _words(one.data) if at == ("category",)}
        for at, code in _words(listed.data):
            if at[1:] == ("code",) and code not in filled:
                shown = errors.shown(code)
                self.wrong(listed.mistake(at[:1], f"Category “{shown}” has no service."))


def _coded(data: Any) -> list[dict[str, Any]]:
    """Return the entries of a list that have a code, whatever else is wrong with them."""
    entries = data if isinstance(data, list) else []
    return [one for one in entries if isinstance(one, dict) and isinstance(one.get("code"), str)]


def _codes(data: Any) -> list[str]:
    return [entry["code"] for entry in _coded(data)]


def _unordered(expected: str | Sequence[str]) -> str | list[str]:
    return expected if isinstance(expected, str) else sorted(expected)


def _words(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[source.Location, str]]:
    """Yield every text in a document, with its path."""
    if isinstance(data, str):
        yield at, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _words(value, (*at, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _words(value, (*at, place))
