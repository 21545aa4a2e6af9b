"""How a partner's answer is read: lenient about what is more, strict about what is used."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import pydantic
import pydantic_core
from pydantic.alias_generators import to_camel

from connectors import errors

#: What `pydantic.HttpUrl` takes, without its wrapper in Python around each address.
_WEB = pydantic.UrlConstraints(max_length=2083, allowed_schemes=["http", "https"])
WebAddress = Annotated[pydantic_core.Url, _WEB]


class Record(pydantic.BaseModel):
    """A piece of an answer; its names are in camel case, what it does not name is passed over."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


T = TypeVar("T")
_reader: Callable[[Any], pydantic.TypeAdapter[Any]] = functools.cache(pydantic.TypeAdapter)


def read(shape: type[T], data: Any) -> T:  # noqa: ANN401 - whatever the partner sent
    """Return the data as the record, or the list of records, it should be.

    Raises:
        Misconfigured: it is not; the sentence says where, and quotes nothing.
    """
    try:
        found: T = _reader(shape).validate_python(data)
    except pydantic.ValidationError as error:
        place = ".".join(str(step) for step in error.errors(include_input=False)[0]["loc"])
        raise errors.bad_answer(f"does not fit its protocol at “{place or '.'}”") from None
    return found
