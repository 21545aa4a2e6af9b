"""Partners that take cards, to test with: put in a hub's database, and known to it at once."""

from __future__ import annotations

from models.verifier import Kind, Scope, Verifier
from tests import hub

_DISCLOSE = {
    Kind.CINEMA: (Scope.DISCLOSE_TIER,),
    Kind.HOSPITAL: (Scope.DISCLOSE_TIER, Scope.DISCLOSE_PATIENT),
    Kind.SCHOOL: (Scope.DISCLOSE_GUARDIAN,),
}
CINEMA, HOSPITAL, SCHOOL = "quill-cinema", "ember-hospital", "larkmere-school"
_KNOWN = (
    (CINEMA, "Quill Cinema", Kind.CINEMA, 1, ("film-tickets",)),
    (HOSPITAL, "Ember Hospital", Kind.HOSPITAL, 2, ("medical-green-channel", "physical-check")),
    (SCHOOL, "Larkmere School", Kind.SCHOOL, 2, ("school-enrolment-preference",)),
)


async def registered(standing: hub.Standing) -> None:
    """Register a cinema, a hospital and a school, with all scopes that their kind may have."""
    async with standing.hub.database.begin() as session:
        session.add_all(
            Verifier(
                code=code,
                name=name,
                contact=f"privacy@{code}.example",
                kind=kind,
                tier=tier,
                scopes=[Scope.VERIFY_CODE, Scope.REDEEM, *_DISCLOSE[kind]],
                services=list(services),
                created_at=hub.NOW,
                suspended_at=None,
            )
            for code, name, kind, tier, services in _KNOWN
        )
    await standing.hub.authority.refreshed()
