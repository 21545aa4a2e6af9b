"""Expression: JMESPath over a partner's answer, within a budget that no partner file can exceed.

The language is JMESPath as it stands (https://jmespath.org/specification.html) and the functions
of `_Functions`. What an expression may cost is bounded twice: its own size when it is read, and
the steps that it takes, with what it builds, when it is used.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Any

import jmespath
import pydantic
from jmespath import exceptions, functions, visitor

from connectors import errors
from models import errors as mistakes

MOST_LETTERS = 500
MOST_NODES = 120
#: The steps that all expressions of one answer may take together; a step is about a microsecond.
MOST_STEPS = 2_000_000
#: The steps of a single use: for so long the process does nothing else.
MOST_STEPS_AT_ONCE = 500_000
#: The longest text that a function makes.
MOST_TEXT = 100_000

#: A number of more digits than a double has is not computed with.
_MOST_DIGITS = 15
#: What evaluation raises where the answer is not what the expression expects.
_MISFITS = (
    exceptions.JMESPathError,
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
_TRUE = frozenset({"true", "yes", "y", "1"})
_FALSE = frozenset({"false", "no", "n", "0"})

_NO_MORE: Mapping[str, object] = {}
_TEXT: Any = {"types": ["string", "null"]}
_NUMBER: Any = {"types": ["number", "string", "null"]}
_SCALAR: Any = {"types": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read; ``keys`` where it only names keys."""

    source: str
    keys: tuple[str, ...] | None
    way: _Way = field(repr=False, hash=False, compare=False)

    @classmethod
    def parse(cls, source: object) -> Expression:
        """Return an expression, read and measured.

        Raises:
            ValueError: it is no JMESPath, too large, or calls what there is not.
        """
        if not isinstance(source, str):
            raise ValueError("An expression is text in JMESPath")  # noqa: TRY004 - for Pydantic
        if len(source) > MOST_LETTERS:
            raise ValueError(f"An expression has at most {MOST_LETTERS} letters")
        try:
            with warnings.catch_warnings():
                # JMESPath once took what is no JSON for text, and warns of it.
                warnings.simplefilter("error", PendingDeprecationWarning)
                tree: Any = jmespath.compile(source).parsed
        except PendingDeprecationWarning:
            raise ValueError("In backquotes stands JSON; text stands in single quotes") from None
        except (exceptions.JMESPathError, RecursionError) as wrong:
            raise ValueError(f"This is not JMESPath: {_why(wrong)}") from None
        nodes = list(_nodes(tree))
        if len(nodes) > MOST_NODES:
            raise ValueError(f"An expression has at most {MOST_NODES} parts")
        for node in nodes:
            if node["type"] == "function_expression":
                _check_call(node["value"], len(node["children"]))
        return cls(source, _keys(tree), _way(tree))


#: An expression as it stands in a partner file.
Written = Annotated[
    Expression,
    pydantic.PlainValidator(Expression.parse),
    pydantic.WithJsonSchema({"type": "string", "format": "jmespath"}),
]


class Budget:
    """What the expressions of one answer may still cost."""

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self._left = steps
        self._most = 0

    @cached_property
    def interpreter(self) -> _Bounded:
        """What follows the trees that have no way of their own."""
        return _Bounded(self)

    def find(self, sought: Expression, data: Any) -> Any:  # noqa: ANN401 - data of any shape
        """Return what an expression finds in the data, None where there is nothing.

        Raises:
            Misconfigured: BAD_ANSWER, the data do not fit it, or it costs more than it may.
        """
        if sought.keys is not None:
            self.begin(1)
            return at(data, sought.keys)
        way = sought.way
        self.begin(way.steps)
        try:
            return way.follow(data, self)
        except _MISFITS:
            shown = mistakes.shown(sought.source)
            raise errors.bad_answer(f"does not fit the expression “{shown}”") from None

    def holds(self, sought: Expression, data: Any) -> bool:  # noqa: ANN401 - data of any shape
        """Return whether an expression finds what JMESPath takes for true.

        Raises:
            Misconfigured: as ``find``.
        """
        found = self.find(sought, data)
        return _is_true(found)

    def begin(self, steps: int) -> None:
        """Take the steps of a use off the budget.

        Raises:
            Misconfigured: as ``spend``.
        """
        self._most = MOST_STEPS_AT_ONCE
        self.spend(steps)

    def spend(self, steps: int) -> None:
        """Take steps off the budget.

        Raises:
            Misconfigured: BAD_ANSWER, there are not so many left.
        """
        self._left -= steps
        self._most -= steps
        if self._left < 0 or self._most < 0:
            raise errors.bad_answer("takes more steps to read than it may")


def scope(data: Any, more: Mapping[str, object] = _NO_MORE) -> dict[str, Any]:  # noqa: ANN401 - data of any shape
    """Return what an expression sees: the data's keys, or `value` where it has none, and more."""
    return {**(data if isinstance(data, dict) else {"value": data}), **more}


def _is_true(found: object) -> bool:
    return found is not None and found is not False and found not in ("", [], {})


class _Bounded(visitor.TreeInterpreter):
    """Pays for every step, and for what the step built."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(jmespath.Options(custom_functions=_FUNCTIONS))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as its base has it
        found = super().visit(node, *args, **kwargs)
        self._budget.spend(1 + (len(found) if isinstance(found, list) else 0))
        return found


class _Functions(functions.Functions):
    """JMESPath's functions, and ours: what they are given nothing of, they give nothing for."""

    @functions.signature(_SCALAR)
    def _func_to_string(self, value: object) -> str | None:
        """Return a scalar as text; JMESPath's own would write out whole answers."""
        if value is None or type(value) is str:
            return value
        return str(value) if type(value) is int else json.dumps(value)

    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, between: str, texts: list[str]) -> str:
        _bounded(sum(map(len, texts)) + len(between) * len(texts))
        return between.join(texts)

    @functions.signature(_TEXT, _TEXT)
    def _func_split(self, text: str | None, by: str | None) -> list[str] | None:
        return text.split(by) if text is not None and by else None

    @functions.signature(_TEXT, _TEXT, _TEXT)
    def _func_replace(self, text: str | None, old: str | None, new: str | None) -> str | None:
        if text is None or not old or new is None:
            return text
        _bounded(len(text) + text.count(old) * len(new))
        return text.replace(old, new)

    @functions.signature(_TEXT)
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()

    @functions.signature(_TEXT)
    def _func_upper(self, text: str | None) -> str | None:
        return None if text is None else text.upper()

    @functions.signature(_TEXT)
    def _func_trim(self, text: str | None) -> str | None:
        return None if text is None else text.strip()

    @functions.signature(_SCALAR)
    def _func_to_boolean(self, value: object) -> bool | None:
        word = str(value).casefold()
        return True if word in _TRUE else False if word in _FALSE else None

    @functions.signature(_TEXT, _TEXT)
    def _func_ref_id(self, reference: str | None, to: str | None) -> str | None:
        """Return the id of a reference `Type/id`, absolute or relative, to that type alone."""
        *_, type_, id_ = ("", "", *(reference or "").split("/"))
        return id_ if id_ and type_ == to else None

    @functions.signature(_NUMBER, _NUMBER)
    def _func_add(self, one: object, other: object) -> float | None:
        return _number(_decimals(one, other), Decimal.__add__)

    @functions.signature(_NUMBER, _NUMBER)
    def _func_subtract(self, one: object, other: object) -> float | None:
        return _number(_decimals(one, other), Decimal.__sub__)

    @functions.signature(_NUMBER, _NUMBER)
    def _func_multiply(self, one: object, other: object) -> float | None:
        return _number(_decimals(one, other), Decimal.__mul__)


def _bounded(letters: int) -> None:
    if letters > MOST_TEXT:
        raise OverflowError


def _decimals(one: object, other: object) -> tuple[Decimal, Decimal] | None:
    """Return two numbers as they print, so that 0.1 and 0.2 are 0.3; None if one is not there."""
    return None if one is None or other is None else (Decimal(str(one)), Decimal(str(other)))


def _number(pair: tuple[Decimal, Decimal] | None, of: Any) -> float | None:  # noqa: ANN401 - a method of Decimal
    if pair is None:
        return None
    found: Decimal = of(*pair)
    if not found.is_finite() or found.adjusted() > _MOST_DIGITS:
        raise InvalidOperation
    return int(found) if found == found.to_integral_value() else float(found)


_FUNCTIONS = _Functions()
_KNOWN: Any = _Functions.FUNCTION_TABLE
#: By the name of a type of JMESPath's: the types of its values.
_TYPES = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True)
class _Way:
    """How a tree is followed without looking at it again.

    ``steps`` are paid before; what it builds, and what is followed in some cases alone, as it goes.
    """

    follow: Callable[[Any, Budget], Any]
    steps: int


def _way(tree: Any) -> _Way:  # noqa: ANN401 - jmespath's tree
    """Return the way of a tree: of the simple nodes a function each, the others as they stand."""
    if (keys := _keys(tree)) is not None:
        return _Way(lambda data, _: at(data, keys), len(keys))
    if (write := _WAYS.get(tree["type"])) is not None:
        return write(tree, [_way(child) for child in tree["children"]])
    return _Way(lambda data, budget: budget.interpreter.visit(tree, data), 0)


def _literal(tree: Any, _: Sequence[_Way]) -> _Way:  # noqa: ANN401 - jmespath's tree
    value = tree["value"]
    return _Way(lambda _data, _budget: value, 1)


def _current(_: object, __: Sequence[_Way]) -> _Way:
    return _Way(lambda data, _budget: data, 1)


def _chain(_: object, parts: Sequence[_Way]) -> _Way:
    follows, steps = _together(parts)

    def follow(data: Any, budget: Budget) -> Any:  # noqa: ANN401 - data of any shape
        for one in follows:
            data = one(data, budget)
        return data

    return _Way(follow, steps)


def _list(_: object, parts: Sequence[_Way]) -> _Way:
    follows, steps = _together(parts)

    def follow(data: Any, budget: Budget) -> Any:  # noqa: ANN401 - data of any shape
        return None if data is None else [one(data, budget) for one in follows]

    return _Way(follow, steps + len(parts))


def _either(_: object, parts: Sequence[_Way]) -> _Way:
    one, other = parts

    def follow(data: Any, budget: Budget) -> Any:  # noqa: ANN401 - data of any shape
        found = one.follow(data, budget)
        if _is_true(found):
            return found
        budget.spend(other.steps)
        return other.follow(data, budget)

    return _Way(follow, 1 + one.steps)


def _call(tree: Any, parts: Sequence[_Way]) -> _Way:  # noqa: ANN401 - jmespath's tree
    name, (follows, steps) = tree["value"], _together(parts)
    function = _KNOWN[name]["function"]
    takes = [_takes(one["types"]) for one in _KNOWN[name]["signature"]]

    def call(*given: Any) -> Any:  # noqa: ANN401 - values of any type
        for fits, one in zip(takes, given, strict=False):
            if not fits(one):
                return _FUNCTIONS.call_function(name, given)
        return function(_FUNCTIONS, *given)

    def follow(data: Any, budget: Budget) -> Any:  # noqa: ANN401 - data of any shape
        found = call(*[one(data, budget) for one in follows])
        if type(found) is list:
            budget.spend(len(found))
        return found

    return _Way(follow, steps)


def _together(parts: Sequence[_Way]) -> tuple[list[Callable[[Any, Budget], Any]], int]:
    """Return how parts are followed, and what they cost with the node that they are parts of."""
    return [one.follow for one in parts], 1 + sum(one.steps for one in parts)


def _takes(types: Sequence[str]) -> Callable[[Any], bool]:
    """Return what says whether a function surely takes a value; of the others it says it itself."""
    plain = frozenset(found for one in types for found in _TYPES.get(one, ()))
    if "array-string" in types:
        return lambda value: type(value) is list and _TEXTS.issuperset(map(type, value))
    return lambda value: type(value) in plain


_TEXTS = frozenset([str])
_WAYS: Mapping[str, Callable[[Any, Sequence[_Way]], _Way]] = {
    "literal": _literal,
    "current": _current,
    "identity": _current,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "multi_select_list": _list,
    "or_expression": _either,
    "function_expression": _call,
}


def _check_call(name: str, given: int) -> None:
    if name not in _KNOWN:
        near = mistakes.did_you_mean(mistakes.nearest(name, _KNOWN)).lower()
        hint = f" ({near})" if near else ""
        raise ValueError(f"There is no function “{mistakes.shown(name)}”{hint}")
    signature = _KNOWN[name]["signature"]
    many = bool(signature) and signature[-1].get("variadic", False)
    if given < len(signature) or (given > len(signature) and not many):
        raise ValueError(f"The function “{name}” takes {len(signature)} arguments, not {given}")


def _nodes(tree: Any) -> Iterator[Any]:  # noqa: ANN401 - jmespath's tree
    """Yield every node of a tree, however deep, without recursion."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in node["children"] if isinstance(child, dict)]


def _keys(tree: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - jmespath's tree
    """Return the keys of a tree that only names keys, one within the other; else None."""
    if tree["type"] == "field":
        return (tree["value"],)
    if tree["type"] != "subexpression":
        return None
    steps = [_keys(child) for child in tree["children"]]
    return tuple(key for step in steps for key in step or ()) if all(steps) else None


def at(data: Any, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - data of any shape
    """Return what stands in the data under keys, one within the other; None where nothing does."""
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def _why(wrong: Exception) -> str:
    """Return the reason without the picture that jmespath draws below it."""
    if isinstance(wrong, exceptions.IncompleteExpressionError):
        return "it ends too early"
    if isinstance(wrong, exceptions.LexerError):
        return wrong.message
    if isinstance(wrong, exceptions.ParseError):
        return f"“{wrong.token_value}” cannot stand at letter {wrong.lex_position + 1}"
    return "it is empty" if isinstance(wrong, exceptions.EmptyExpressionError) else "it is too deep"
