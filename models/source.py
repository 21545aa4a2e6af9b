"""Reading our own YAML strictly, so that every complaint names its file, line and path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.scalarbool import ScalarBoolean

from models import errors

Location = Sequence[str | int]
M = TypeVar("M", bound=pydantic.BaseModel)

#: What is larger than any file of ours, and takes about a second to read.
MOST_BYTES = 256 * 1024
MOST_NODES = 12_000
MOST_DEPTH = 80
#: No number of ours is larger, and all that we keep and send can hold it.
MOST_NUMBER = 10**15

_UNKNOWN_KEY = "extra_forbidden"
_MISSING_KEY = "missing"
_TOO_SHORT = "too_short"
_CHOICES = ("enum", "literal_error")


class _RefusedError(MarkedYAMLError):
    """It may be YAML, but it is nothing that a file of ours may hold."""


class _Composer(Composer):
    """Refuses what multiplies (aliases), what makes objects (tags), and what has no end in sight.

    A node is refused before its parts are read.
    """

    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        self.nodes += 1
        if event.anchor is not None:
            self._refuse("There are no anchors (&) and aliases (*) here; write it out", event)
        if getattr(event, "tag", None) is not None:
            self._refuse("There are no tags (!) here; write the value alone", event)
        if parent is not None and index is None and not isinstance(event, ScalarEvent):
            self._refuse("A key is a word", event)
        if self.depth >= MOST_DEPTH:
            self._refuse(f"This stands more than {MOST_DEPTH} levels deep", event)
        if self.nodes > MOST_NODES:
            self._refuse(f"A file has at most {MOST_NODES:,} keys and values; divide it", event)
        return super().compose_node(parent, index)

    def _refuse(self, sentence: str, event: Any) -> NoReturn:
        raise _RefusedError(problem=sentence, problem_mark=event.start_mark)


class _Constructor(RoundTripConstructor):
    """Leaves days as text: a day that is none is then a mistake with a path, like any other."""

    def construct_yaml_int(self, node: Any) -> Any:
        # Longer ones are not even read: that takes as long as they are.
        number = super().construct_yaml_int(node) if len(node.value) <= _LONGEST_NUMBER else None
        if number is None or abs(number) > MOST_NUMBER:
            sentence = f"A number is at most {MOST_NUMBER:,}"
            raise _RefusedError(problem=sentence, problem_mark=node.start_mark)
        return number


_LONGEST_NUMBER = 64
_Constructor.add_constructor("tag:yaml.org,2002:int", _Constructor.construct_yaml_int)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_str)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its plain ``data``, and where everything in it stands."""

    file: str
    data: Any
    _marked: Any = field(repr=False, compare=False)

    def mistake(self, at: Location, sentence: str, hint: str = "") -> errors.Mistake:
        """Return a mistake at the line of the nearest node of this path that exists."""
        return errors.Mistake(self.file, self._line(at), _spelt(at), sentence, hint)

    def _line(self, at: Location) -> int:
        node, line = self._marked, 1
        for step in at:
            if isinstance(node, CommentedMap) and step in node:
                line = node.lc.key(step)[0] + 1
            elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
                line = node.lc.item(step)[0] + 1
            else:
                break
            node = node[step]
        return line


def read(path: Path, shown_as: str | None = None) -> Document:
    """Return the document in a file; ``shown_as`` is the file's name in complaints.

    Raises:
        MistakesError: not YAML 1.2, a key given twice, not UTF-8, or not readable.
    """
    return parse(text(path, shown_as or str(path)), shown_as or str(path))


def parse(text: str, file: str) -> Document:
    """Return the document in a text.

    Raises:
        MistakesError: not YAML 1.2, a key given twice, or more than a file of ours may hold.
    """
    _bounded(text.encode(errors="replace"), file)
    yaml = YAML(typ="rt")
    yaml.Composer = _Composer
    yaml.Constructor = _Constructor
    try:
        marked = yaml.load(text)
    except _RefusedError as wrong:
        mistake = errors.Mistake(file, wrong.problem_mark.line + 1, "", f"{wrong.problem}.")
        raise errors.MistakesError([mistake]) from wrong
    except MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        why = (wrong.problem or "cannot be read").strip()
        raise errors.MistakesError(
            [errors.Mistake(file, line, "", f"This is not YAML: {why}.")]
        ) from wrong
    except (YAMLError, ValueError) as wrong:  # A character that may not be; a tag that lies.
        line = text.count("\n", 0, getattr(wrong, "position", 0)) + 1
        raise errors.MistakesError([errors.Mistake(file, line, "", "This is not YAML.")]) from wrong
    return Document(file, _plain(marked), marked)


def validate(document: Document, model: type[M], at: Location = ()) -> M:
    """Return the document, or what stands at a path of it (nothing is ``{}``), as this model.

    Raises:
        MistakesError: every mistake at once, each with the nearest right spelling.
    """
    data = document.data
    for step in at:
        data = data.get(step, {}) if isinstance(data, dict) else {}
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as wrong:
        found: dict[tuple[str | int, ...], list[Any]] = {}
        for one in _telling(wrong):
            found.setdefault(_standing(data, one), []).append(one)
        raise errors.MistakesError(
            [_mistake(document, model, where, ones, at) for where, ones in found.items()]
        ) from wrong


def _telling(wrong: pydantic.ValidationError) -> list[Any]:
    """Return the errors without echoes: a list is called too short when its parts are wrong."""
    found = wrong.errors(include_url=False)
    above = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    return [one for one in found if one["type"] != _TOO_SHORT or one["loc"] not in above]


def _standing(data: Any, wrong: Any) -> tuple[str | int, ...]:
    """Return an error's path as it stands in the file, without the branches of unions."""
    at = []
    for step in wrong["loc"]:
        keys = data if isinstance(data, dict) else range(len(data) if isinstance(data, list) else 0)
        if step in keys:
            at.append(step)
            data = data[step]
    return (*at, wrong["loc"][-1]) if wrong["type"] == _MISSING_KEY else tuple(at)


def text(path: Path, file: str) -> str:
    """Return the text in a file, which complaints call ``file``.

    Raises:
        MistakesError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as opened:
            # One byte more than there may be tells that there is too much.
            return _bounded(opened.read(MOST_BYTES + 1), file).decode("utf-8")
    except OSError as wrong:
        why = wrong.strerror or "cannot be opened"
        raise errors.MistakesError(
            [errors.Mistake(file, 1, "", f"This file cannot be read: {why}.")]
        ) from wrong
    except UnicodeDecodeError as wrong:
        raise errors.MistakesError(
            [errors.Mistake(file, 1, "", "This file is not UTF-8 text.")]
        ) from wrong


def _bounded(content: bytes, file: str) -> bytes:
    if len(content) > MOST_BYTES:
        sentence = f"A file has at most {MOST_BYTES:,} bytes; divide it."
        raise errors.MistakesError([errors.Mistake(file, 1, "", sentence)])
    return content


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    if isinstance(node, ScalarBoolean):
        return bool(node)  # Python holds it for a number.
    for scalar in (bool, int, float, str):
        if isinstance(node, scalar):
            return scalar(node)
    return node


def _spelt(at: Location) -> str:
    spelt = ""
    for step in at:
        spelt += f"[{step}]" if isinstance(step, int) else f".{step}" if spelt else str(step)
    return spelt


def _mistake(
    document: Document,
    model: type[pydantic.BaseModel],
    where: Location,
    wrongs: Sequence[Any],
    within: Location,
) -> errors.Mistake:
    """Return the one mistake at a place; ``wrongs`` are several where each branch of a union is."""
    at = [*within, *where]
    wrong = wrongs[0]
    kind = wrong["type"]
    if kind == _UNKNOWN_KEY:
        known = _keys_at(model, where[:-1])
        allowed = f"Allowed here: {', '.join(sorted(known))}." if known else ""
        hint = errors.did_you_mean(errors.nearest(str(at[-1]), known)) or allowed
        return document.mistake(at, f"There is no key “{errors.shown(str(at[-1]))}”.", hint)
    found = errors.shown(str(wrong["input"]))
    if kind in _CHOICES:
        expected = str(wrong["ctx"]["expected"])
        choices = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        hint = errors.did_you_mean(errors.nearest(found, choices)) or f"Allowed: {expected}."
        return document.mistake(at, f"“{found}” is not allowed here.", hint)
    if kind == _MISSING_KEY:
        return document.mistake(at, "This key is missing.")
    whys = [
        one["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
        for one in wrongs
    ]
    return document.mistake(at, f"{'; or: '.join(whys)}.", f"Found “{found}”." if at else "")


def _keys_at(model: type[pydantic.BaseModel], at: Location) -> Mapping[str, Any]:
    """Return the keys allowed at a path of a model; steps into lists and unions are passed over."""
    models = _models_in(model)
    for step in at:
        fields = [one.model_fields[step] for one in models if step in one.model_fields]
        models = [inner for one in fields for inner in _models_in(one.annotation)] or models
    return {one.alias or name: one for inner in models for name, one in inner.model_fields.items()}


def _models_in(annotation: Any) -> list[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.RootModel):
        return _models_in(annotation.model_fields["root"].annotation)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [inner for part in getattr(annotation, "__args__", ()) for inner in _models_in(part)]
