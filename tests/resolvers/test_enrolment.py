"""Of those who register the same at the same moment, one has it, and the others are told so."""

from __future__ import annotations

import asyncio

import pytest

from models import errors
from models.verifier import KeySort as Sort
from models.verifier import Kind, Profile, Scope
from resolvers import enrolment
from resolvers.directory import Directory
from tests import catalogue as small

NAME = "n" * 43


def profile(code: str = "harbour-bank") -> Profile:
    return Profile(
        code, "Harbour Bank", "desk@bank.example", Kind.BANK, 1, (Scope.VERIFY_CODE,), ()
    )


@pytest.fixture
def directories(database) -> list[Directory]:
    """The directories of several processes over one database."""
    return [Directory(database) for _ in range(4)]


async def test_of_verifiers_registered_at_once_under_one_code_one_is(directories):
    ended = await asyncio.gather(
        *(enrolment.register(one, profile(), (), small.NOW) for one in directories),
        return_exceptions=True,
    )

    refused = [one for one in ended if isinstance(one, errors.CodeTakenError)]
    assert len(refused) == len(directories) - 1
    assert [one.row.code for one in await enrolment.everybody(directories[0])] == ["harbour-bank"]


async def test_of_keys_added_at_once_under_one_name_one_is(directories):
    codes = [f"bank-{n}" for n in range(len(directories))]
    for code in codes:
        await enrolment.register(directories[0], profile(code), (), small.NOW)
    new = enrolment.NewKey(Sort.CERTIFICATE, live=True, name=NAME)

    ended = await asyncio.gather(
        *(
            enrolment.add_key(one, code, new, small.NOW)
            for one, code in zip(directories, codes, strict=True)
        ),
        return_exceptions=True,
    )

    refused = [one for one in ended if isinstance(one, errors.BadKeyError)]
    assert len(refused) == len(codes) - 1
    known = await enrolment.everybody(directories[0])
    assert [key.name for one in known for key in one.keys] == [NAME]
