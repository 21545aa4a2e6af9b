"""Judges a case of the kit as its files have it: by our own checks alone, without a hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from credentials import (
    access,
    assertion,
    code,
    dpop,
    evidence,
    log_head,
    message,
    offline_pass,
    sd_jwt,
    status,
    trust,
)
from credentials.flaw import NotGenuineError
from credentials.keyring import Key, Purpose
from tests.kit import codes, keys

Given = Mapping[str, Any]


def of(purpose: Purpose) -> Callable[[str], Key | None]:
    return lambda kid: keys.RING.verifying(purpose, kid, keys.NOW)


def issuer_key(issuer: str, kid: str) -> Any:
    """What is known of issuers: our keys, and those of one neighbour on the trust list."""
    if issuer == keys.NEIGHBOUR:
        return {keys.ABROAD.thumbprint(): keys.ABROAD}.get(kid)
    return of(Purpose.CARD)(kid) if issuer == keys.ISSUER else None


def _credential(said: str, given: Given, now: datetime) -> None:
    sd_jwt.verify(said, issuer_key, now=now, **given)


def _pass(said: str, given: Given, now: datetime) -> None:
    offline_pass.read(said, lambda name: keys.RING.named(Purpose.PASS, name, now), now=now, **given)


def _status(said: str, given: Given, now: datetime) -> None:
    found = status.read(said, of(Purpose.STATUS), uri=given["uri"], now=now)
    assert found.statuses[given["place"]] == given["status"]


def _statement(said: str, given: Given, now: datetime) -> None:
    match given["kind"]:
        case "receipt":
            evidence.read(said, of(Purpose.RECEIPT))
        case "trust":
            least = given.get("least_sequence", 0)
            trust.read(
                said, of(Purpose.TRUST), issuer=given["issuer"], now=now, least_sequence=least
            )
        case "log":
            log_head.read(said, of(Purpose.LOG))


def _code(said: str, _: Given, now: datetime) -> str | None:
    match code.parse(said):
        case code.LiveCode(ticket=ticket):
            return None if ticket == codes.TICKET else codes.NOT_MINTED
        case code.FallbackCode() as found:
            code.check(found, keys.MASTER, now)
            return None if found.device == keys.PHONE else codes.NOT_MINTED
    return codes.NO_CODE


def _request(said: Any, given: Given, now: datetime) -> None:
    client = {keys.CLIENT.thumbprint(): keys.CLIENT}.get
    match given["kind"]:
        case "assertion":
            assertion.verify(said, client, issuer=given["issuer"], now=now)
        case "token":
            access.read(
                said,
                of(Purpose.ACCESS),
                issuer=given["issuer"],
                audience=given["audience"],
                now=now,
            )
        case "proof":
            dpop.check(
                said,
                method=given["method"],
                url=given["url"],
                now=now,
                access_token=given["access_token"],
            )
        case "signature":
            message.check(
                method=given["method"],
                url=given["url"],
                headers=said.items(),
                body=given["body"].encode(),
                keys=client,
                now=now,
            )


_JUDGES: dict[str, Callable[[Any, Given, datetime], str | None]] = {
    "credentials": _credential,
    "passes": _pass,
    "status-lists": _status,
    "statements": _statement,
    "codes": _code,
    "requests": _request,
}


def flaw(family: str, case: Given, given: Given, now: datetime) -> str | None:
    """Return why a case is refused, or None where it is not."""
    try:
        return _JUDGES[family](case["input"], {**given, **case.get("given", {})}, now)
    except NotGenuineError as refused:
        return str(refused.flaw)
