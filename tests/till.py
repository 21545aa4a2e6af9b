"""A till: a partner's own side of a check, by key or by token, over GraphQL or plain HTTP."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

from credentials import api_key
from models import demo
from models.verifier import KeySort, Scope
from resolvers import enrolment
from tests import asgi, client, hub, verifiers

ALL = """mutation Verify($input: VerifyCardInput!) { verifyCard(input: $input) { ...all } }
fragment all on VerifyCardOutcome {
  __typename
  ... on Verification { checkedAt statusAsOf receipt { id jws } }
  ... on CardAccepted {
    holder evidence recognition issuer { id district } entitlement { ...whole }
    disclosed {
      __typename
      ... on NothingDisclosed { policy }
      ... on TierDisclosure { policy tier }
      ... on PatientDisclosure { policy consent tier legalName birthDate }
      ... on IdentityDisclosure { policy consent tier legalName }
      ... on TenantDisclosure { policy consent tier legalName employer }
      ... on GuardianDisclosure { policy consent legalName
        dependants { id legalName birthDate relation guardianConsent } } } }
  ... on CardNotAccepted { fix }
  ... on CodeNotUsable { codeProblem fix }
  ... on NotEntitled { entitlementProblem current { ...whole } }
  ... on HolderConfirmationPending { verificationId expiresAt }
  ... on ConsentRequired { verificationId categories expiresAt }
  ... on VerificationRefused { refusal retryAfterSeconds }
}
fragment whole on Entitlement { serviceCode unitsLeft resetsAt redemption }"""
AGAIN = ALL.replace(
    "mutation Verify($input: VerifyCardInput!) { verifyCard(input: $input)",
    "query Again($id: ID!) { verification(id: $id)",
)
SEVERAL = ALL.replace(
    "mutation Verify($input: VerifyCardInput!) { verifyCard(input: $input)",
    "mutation Several($inputs: [VerifyCardInput!]!) { verifyCards(inputs: $inputs)",
)
_PRESENT = """mutation ($input: PresentCardInput!) { presentCard(input: $input) {
  __typename ... on LiveCode { code consent discloses } ... on Fault { code } } }"""
_numbers = itertools.count(1)


@dataclass
class Till:
    """One partner that checks cards, at a hub that stands in a test."""

    standing: hub.Standing
    code: str
    service: str
    #: An API key; without one it asks by tokens.
    key: str | None = None
    by: client.Client | None = None
    #: What no answer may hold.
    leaks: tuple[bytes, ...] = hub.LEAKS

    async def headers(self, path: str = client.PATH) -> dict[str, str]:
        if self.key is not None:
            return {"authorization": f"Bearer {self.key}"}
        return self.by.headers(await self.by.token(), path=path)

    def input(self, code: str | None = None, **more) -> dict:
        """The input of a check, under a key of its own."""
        shown = {"presented": {"code": code}} if code is not None else {}
        key = f"check-{next(_numbers)}"
        return {"serviceCode": self.service, "idempotencyKey": key, **shown, **more}

    async def ask(self, document: str, variables: dict):
        answer = await asgi.ask(
            self.standing.app, document, variables, headers=await self.headers()
        )
        assert not [leak for leak in self.leaks if leak in answer.body]
        return answer

    async def verify(self, code: str | None = None, **more) -> dict:
        """Check a card, and return the answer."""
        answer = (await self.ask(ALL, {"input": self.input(code, **more)})).json()
        assert "errors" not in answer, answer
        return answer["data"]["verifyCard"]

    async def again(self, handle: str) -> dict | None:
        """Ask what came of a check."""
        answer = (await self.ask(AGAIN, {"id": handle})).json()
        assert "errors" not in answer, answer
        return answer["data"]["verification"]

    async def post(self, given: object, **headers):
        """Check a card over plain HTTP."""
        sent = {"content-type": "application/json", **await self.headers("/v1/verify"), **headers}
        body = given if isinstance(given, bytes) else json.dumps(given).encode()
        return await asgi.call(
            self.standing.app, "POST", path="/v1/verify", headers=sent, body=body
        )


async def tills(standing: hub.Standing) -> dict[str, Till]:
    """Return a cinema by API key, a hospital and a school by token, and a cinema's test key."""
    await verifiers.registered(standing)
    directory, now = standing.hub.authority.verifiers, standing.clock()
    found = {}
    for name, live in (("cinema", True), ("sandbox", False)):
        text = api_key.new(live=live)
        await enrolment.keep(directory, verifiers.CINEMA, enrolment.api(text, now))
        found[name] = Till(standing, verifiers.CINEMA, "film-tickets", text)
    for name, code, service in (
        ("hospital", verifiers.HOSPITAL, "medical-green-channel"),
        ("school", verifiers.SCHOOL, "school-enrolment-preference"),
    ):
        by = client.Client(standing, code)
        public = json.dumps(by.key.as_dict(private=False))
        new = enrolment.NewKey(KeySort.JWK, live=True, public=public)
        await enrolment.add_key(directory, code, new, now)
        found[name] = Till(standing, code, service, by=by)
    return found


async def grant(standing: hub.Standing, code: str, *scopes: Scope) -> None:
    """Let a verifier do more."""
    async with standing.hub.database.begin() as session:
        row = await session.get(
            type(standing.hub.authority.verifiers.by_code[code]),
            standing.hub.authority.verifiers.by_code[code].id,
        )
        row.scopes = [*row.scopes, *scopes]
    await standing.hub.authority.refreshed()


async def shown(till: Till, person: int = demo.PILOT, **more) -> str:
    """Have a person's phone show a live code to a till, and return what its scanner reads."""
    given = {"partnerCode": till.code, "serviceCode": till.service, **more}
    answer = await till.standing.ask(_PRESENT, {"input": given}, viewer="holder", person=person)
    code = answer.json()["data"]["presentCard"]
    assert code["__typename"] == "LiveCode", code
    return code["code"]
