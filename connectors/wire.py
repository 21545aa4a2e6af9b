"""How a partner's answer is read: lenient about what is more, strict about what is used."""

from __future__ import annotations

from typing import Any, TypeVar

import pydantic
from pydantic.alias_generators import to_camel

from connectors import errors


class Record(pydantic.BaseModel):
    """A piece of an answer; its names are in camel case, what it does not name is passed over."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


R = TypeVar("R", bound=Record)


def read(model: type[R], data: Any) -> R:  # noqa: ANN401 - whatever the partner sent
    """Return the data as the record it should be.

    Raises:
        Misconfigured: it is not; the sentence says where, and quotes nothing.
    """
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        place = ".".join(str(step) for step in error.errors(include_input=False)[0]["loc"])
        raise errors.bad_answer(f"does not fit its protocol at “{place or '.'}”") from None
