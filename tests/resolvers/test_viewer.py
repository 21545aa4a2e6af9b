from __future__ import annotations

from datetime import timedelta

import pytest

from credentials import token
from models import errors
from resolvers.viewer import ANONYMOUS, OFFICERS, Door, Role, Viewer
from tests.catalogue import NOW

KEY = token.new_key()


@pytest.fixture
def door():
    async def keys(key_id):
        return KEY if key_id == KEY.thumbprint() else None

    return Door("urn:issuer", "hub", keys)


def bearer(role="holder", key=KEY):
    signed = token.sign(
        key,
        token.Claims("h4ndle", role),
        issuer="urn:issuer",
        audience="hub",
        now=NOW,
        lifetime=timedelta(hours=1),
    )
    return f"Bearer {signed}"


async def test_without_a_header_nobody_in_particular_asks(door):
    assert await door.viewer(None, NOW) == ANONYMOUS


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ANONYMOUS}))
async def test_a_token_says_the_role_and_the_subject(door, role):
    assert await door.viewer(bearer(role), NOW) == Viewer(role, "h4ndle")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
async def test_the_scheme_is_spelt_in_any_case(door, scheme):
    presented = bearer().removeprefix("Bearer ")

    assert (await door.viewer(f"{scheme} {presented}", NOW)).role is Role.HOLDER


@pytest.mark.parametrize(
    "header", ["", " ", "Bearer", "Bearer ", "Basic eDp5", bearer("anonymous"), bearer("king"),
               bearer(key=token.new_key())],
    ids=range(8),
)  # fmt: skip
async def test_a_header_that_does_not_hold_is_never_nobody_in_particular(door, header):
    with pytest.raises(errors.UnauthenticatedError):
        await door.viewer(header, NOW)


@pytest.mark.parametrize(
    ("viewer", "sees"),
    [
        (Viewer(), False),
        (Viewer(Role.HOLDER, "h4ndle"), True),
        (Viewer(Role.HOLDER, "other"), False),
        (Viewer(Role.PARTNER, "h4ndle"), False),
        (Viewer(Role.INTEGRATOR, "h4ndle"), False),
        (Viewer(Role.OFFICER, "o"), True),
        (Viewer(Role.ADMIN, "a"), True),
    ],
    ids=str,
)
def test_people_are_seen_by_themselves_and_officers(viewer, sees):
    assert viewer.sees("h4ndle") is sees


def test_a_denial_asks_for_a_token_first_and_then_for_a_role():
    with pytest.raises(errors.UnauthenticatedError):
        Viewer().require(OFFICERS)
    with pytest.raises(errors.ForbiddenError, match="admin or officer"):
        Viewer(Role.PARTNER, "x").require(OFFICERS)
    Viewer(Role.ADMIN, "x").require(OFFICERS)
