"""A verifier's own side: its keys, what it signs with them, and how it asks a hub."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from credentials import base64url, certificate, compact, message, token
from models.verifier import KeySort, Kind, Scope, Verifier, VerifierKey
from resolvers import enrolment, grant
from tests import asgi, hub

WHO = "{ __typename }"
PATH = "/graphql"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


@dataclass
class Client:
    """A verifier that has a signing key, and another one that it proves its requests with."""

    standing: hub.Standing
    code: str
    key: ECKey = field(default_factory=token.new_key)
    proving: ECKey = field(default_factory=token.new_key)

    @property
    def issuer(self) -> str:
        return self.standing.hub.authority.issuer

    @property
    def now(self) -> int:
        return int(self.standing.clock().timestamp())

    def assertion(self, *, header=None, key=None, **changes) -> str:
        """What shows who it is where it asks for a token; a claim changed to None is left out."""
        claims = {
            "iss": self.code,
            "sub": self.code,
            "aud": self.issuer,
            "iat": self.now,
            "exp": self.now + 60,
            "jti": secrets.token_urlsafe(),
            **changes,
        }
        said = {"alg": "ES256", "kid": self.key.thumbprint(), **(header or {})}
        kept = {name: value for name, value in claims.items() if value is not None}
        return compact.write(key or self.key, kept, said)

    def proof(
        self, method="POST", path=PATH, access_token=None, *, header=None, key=None, **changes
    ):
        """What proves that it has the key that a token is bound to."""
        by = key or self.proving
        claims = {
            "htm": method,
            "htu": f"{self.issuer}{path}",
            "iat": self.now,
            "jti": secrets.token_urlsafe(),
            **({"ath": base64url.digest(access_token)} if access_token else {}),
            **changes,
        }
        public = {name: by.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        said = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public, **(header or {})}
        return compact.write(
            by, {name: value for name, value in claims.items() if value is not None}, said
        )

    def form(self, **changes) -> dict[str, str]:
        said = {
            "grant_type": grant.GRANT_TYPE,
            "client_assertion_type": grant.ASSERTION_TYPE,
            "client_assertion": changes.pop("client_assertion", None) or self.assertion(),
            **changes,
        }
        return {name: value for name, value in said.items() if value is not None}

    async def ask_token(self, form=None, proof=None, *, app=None, body=None, headers=()):
        """Ask for a token, and give the answer as it comes."""
        sent = {
            "content-type": "application/x-www-form-urlencoded",
            "dpop": proof or self.proof(path=TOKEN_PATH),
            **dict(headers),
        }
        said = urlencode(form or self.form()).encode() if body is None else body
        return await asgi.call(
            app or self.standing.app,
            "POST",
            path=TOKEN_PATH,
            headers={name: value for name, value in sent.items() if value},
            body=said,
        )

    async def token(self, **form) -> str:
        """Get a token."""
        answer = await self.ask_token(self.form(**form))
        assert answer.status == 200, answer.body
        return answer.json()["access_token"]

    def headers(self, access_token: str, method="POST", path=PATH, **changes) -> dict[str, str]:
        """The headers of a request by this token."""
        return {
            "authorization": f"DPoP {access_token}",
            "dpop": self.proof(method, path, access_token, **changes),
        }

    def signed(self, body: bytes, *, key=None, url=None, **changes) -> dict[str, str]:
        """The headers by which a request with this body is signed whole."""
        by = key or self.key
        return message.sign(
            by,
            by.thumbprint(),
            method=changes.get("method", "POST"),
            url=url or f"{self.issuer}{PATH}",
            body=body,
            now=changes.get("now", self.standing.clock()),
        )

    def statement(self, about: ECKey, key: ECKey, *, new=False, **changes) -> str:
        """One of the two statements that bring a new key."""
        claims = {
            "iss": self.code,
            "aud": self.issuer,
            "iat": self.now,
            "exp": self.now + 60,
            "jkt": about.thumbprint(),
            **changes,
        }
        public = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        named = {"jwk": public} if new else {"kid": key.thumbprint()}
        return compact.write(key, claims, {"alg": "ES256", "typ": "tc-key+jwt", **named})


def body(document: str = WHO, variables=None) -> bytes:
    return json.dumps({"query": document, "variables": variables}).encode()


async def post(app, said: bytes, headers, path=PATH):
    """Post a body as it is: what signs it is over its bytes."""
    return await asgi.call(
        app,
        "POST",
        path=path,
        headers={
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            **dict(headers),
        },
        body=said,
    )


async def verifier(
    standing: hub.Standing,
    code: str = "ember-hospital",
    *,
    kind: Kind = Kind.HOSPITAL,
    tier: int = 2,
    scopes=(Scope.VERIFY_CODE, Scope.REDEEM, Scope.DISCLOSE_TIER, Scope.DISCLOSE_PATIENT),
    services=("medical-green-channel",),
    live: bool = True,
) -> Client:
    """Register a verifier with one signing key, and give its own side."""
    one = Client(standing, code)
    authority = standing.hub.authority
    await authority.begun()
    async with authority.database.begin() as session:
        row = Verifier(
            code=code,
            name=code.replace("-", " ").title(),
            contact=f"privacy@{code}.example",
            kind=kind,
            tier=tier,
            scopes=[str(scope) for scope in scopes],
            services=list(services),
            created_at=standing.clock(),
            suspended_at=None,
        )
        session.add(row)
        await session.flush()
        session.add(
            VerifierKey(
                verifier_id=row.id,
                sort=KeySort.JWK,
                name=one.key.thumbprint(),
                digest=None,
                public=one.key.as_dict(private=False),
                live=live,
                created_at=standing.clock(),
                ended_at=None,
            )
        )
    await authority.refreshed()
    return one


async def api_key(standing: hub.Standing, code: str, *, live: bool = True) -> str:
    """Give a verifier an API key, and return its text."""
    directory = standing.hub.authority.verifiers
    new = enrolment.NewKey(KeySort.API_KEY, live)
    _, text = await enrolment.add_key(directory, code, new, standing.clock())
    return text


def certified(name="ember-hospital.example"):
    """A certificate, and the field in which a proxy hands it on."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = datetime(2026, 11, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + timedelta(365))
        .sign(key, hashes.SHA256())
    )
    der = built.public_bytes(serialization.Encoding.DER)
    return certificate.name(der), f":{base64.b64encode(der).decode()}:"


async def certify(hospital, name, *, live=True):
    directory = hospital.standing.hub.authority.verifiers
    new = enrolment.NewKey(KeySort.CERTIFICATE, live, name=name)
    await enrolment.add_key(directory, hospital.code, new, hospital.standing.clock())
