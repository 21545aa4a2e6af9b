"""Two school offices on one OneRoster 1.2 server: tokens with scopes, schools, places, parents."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiohttp import web

from sandbox import day, secret

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly"
MOST_ROWS = 50
TOKEN_SECONDS = 600
_STATUS = re.compile(r"status='(active|tobedeleted)'")
_IDENTIFIER = re.compile(r"identifier='((?:[^']|'')*)' AND status='active'")
#: Of so many people one is not known to an office, and one has no child at its schools.
_ONE_IN = 4


@dataclass(frozen=True)
class Tenant:
    """One office: its client, its secret's name, and the grades of each of its schools."""

    client: str
    secret: str
    schools: Mapping[str, tuple[str, ...]]


TENANTS = {
    "changning-school-office": Tenant(
        "greenway",
        "changning-school-office-secret",
        {
            "Hongqiao Road Primary School (sandbox)": ("primary",),
            "Jianhe Experimental School (sandbox)": ("primary", "middle"),
            "Xinjing Middle School (sandbox)": ("middle", "chinese-language"),
            "Weining Road Kindergarten (sandbox)": ("kindergarten",),
            "Beixinjing Kindergarten (sandbox)": ("kindergarten",),
            "Changning Learning Centre (sandbox)": ("tutoring", "chinese-language"),
        },
    ),
    "tianshan-school-office": Tenant(
        "greenway",
        "tianshan-school-office-secret",
        {
            "Tianshan Primary School (sandbox)": ("primary", "tutoring"),
            "Loushanguan Middle School (sandbox)": ("middle", "tutoring"),
            "Tianshan Kindergarten (sandbox)": ("kindergarten",),
            "Zunyi Road Language School (sandbox)": ("chinese-language",),
        },
    ),
}


def routes(clock: day.Clock) -> list[web.RouteDef]:
    """Return each office's token endpoint and its schools."""
    return [
        route for slug, tenant in TENANTS.items() for route in _Office(slug, tenant, clock).routes()
    ]


class _Office:
    """One office's server: the tokens it gave out, and the schools they open."""

    def __init__(self, slug: str, tenant: Tenant, clock: day.Clock) -> None:
        self.slug = slug
        self.tenant = tenant
        self.clock = clock
        self.tokens: dict[str, tuple[float, str]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the office's routes."""
        rostering = f"/{self.slug}/ims/oneroster/rostering/v1p2"
        return [
            web.post(f"/{self.slug}/oauth2/token", self.token),
            web.get(f"{rostering}/schools", self.schools),
            web.get(f"{rostering}/users", self.users),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Give a token for client credentials, by Basic header or form."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if not self._client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        token, scope = secrets.token_urlsafe(24), str(form.get("scope", ""))
        self.tokens[token] = (asyncio.get_running_loop().time() + TOKEN_SECONDS, scope)
        return web.json_response(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "scope": scope,
            }
        )

    def _client(self, request: web.Request, form: Mapping[str, object]) -> bool:
        if "client_secret" in form:
            known = secret.matches(self.tenant.secret, str(form["client_secret"]))
            return known and form.get("client_id") == self.tenant.client
        return secret.basic_user(request, self.tenant.secret) == self.tenant.client

    async def schools(self, request: web.Request) -> web.Response:
        """Answer a page of schools, never more than MOST_ROWS whatever was asked."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        try:
            limit, offset = _page(request)
            rows = _chosen(_schools(self.slug, day.today(self.clock)), request.query)
        except ValueError:
            return _failure(400, "invalid_filter_field", "A parameter has an invalid value.")
        page = rows[offset : offset + limit]
        headers = {"X-Total-Count": str(len(rows))}
        if offset + limit < len(rows):
            following = request.url.update_query(offset=offset + limit)
            headers["Link"] = f'<{following}>; rel="next"'
        return web.json_response({"orgs": page}, headers=headers)

    async def users(self, request: web.Request) -> web.Response:
        """Answer the active user with an identifier, if the office knows one."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        asked = _IDENTIFIER.fullmatch(request.query.get("filter", ""))
        if asked is None:
            return _failure(400, "invalid_filter_field", "A parameter has an invalid value.")
        users = _users(self.slug, asked[1].replace("''", "'"))
        return web.json_response({"users": users}, headers={"X-Total-Count": str(len(users))})

    def _refused(self, request: web.Request) -> web.Response | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expires, scope = self.tokens.get(token, (0.0, ""))
        if scheme.lower() != "bearer" or expires <= asyncio.get_running_loop().time():
            return _failure(401, "unauthorisedrequest", "The token is missing or not valid.")
        if SCOPE not in scope.split():
            return _failure(403, "forbidden", "The token does not have the scope for this.")
        return None


def _page(request: web.Request) -> tuple[int, int]:
    limit = int(request.query.get("limit", "100"))
    offset = int(request.query.get("offset", "0"))
    if limit < 1 or offset < 0:
        raise ValueError
    return min(limit, MOST_ROWS), offset


def _chosen(rows: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    if "filter" in query:
        told = _STATUS.fullmatch(query["filter"])
        if told is None:
            raise ValueError
        rows = [row for row in rows if row["status"] == told[1]]
    sort = query.get("sort", "sourcedId")
    if sort not in {"sourcedId", "name"}:
        raise ValueError
    return sorted(rows, key=lambda row: str(row[sort]), reverse=query.get("orderBy") == "desc")


@functools.lru_cache(maxsize=8)
def _schools(slug: str, today: date) -> list[dict[str, Any]]:
    # The last school of each office has closed: a reader must ask for the active ones.
    return [
        {
            "sourcedId": f"{slug}-{number:03}",
            "status": "active",
            "dateLastModified": "2026-09-01T00:00:00Z",
            "metadata": {"places": [_places(grade, number, today) for grade in grades]},
            "name": name,
            "type": "school",
            "identifier": f"{slug[:2].upper()}{number:03}",
        }
        for number, (name, grades) in enumerate(TENANTS[slug].schools.items(), start=1)
    ] + [
        {
            "sourcedId": f"{slug}-999",
            "status": "tobedeleted",
            "dateLastModified": "2026-09-01T00:00:00Z",
            "name": "Closed School (sandbox)",
            "type": "school",
            "identifier": "CLOSED",
        }
    ]


def children(slug: str, identifier: str) -> int | None:
    """Return how many children of a person are an office's pupils; None: it knows no such person.

    Nobody is on file: everything follows from the identifier.
    """
    digest = hashlib.sha256(f"{slug}/{identifier}".encode()).digest()
    return digest[1] % _ONE_IN if digest[0] % _ONE_IN else None


def _users(slug: str, identifier: str) -> list[dict[str, Any]]:
    many = children(slug, identifier)
    if many is None:
        return []
    pupils = (f"{slug}-pupil-{identifier[:8]}-{number}" for number in range(1, many + 1))
    return [
        {
            "sourcedId": f"{slug}-user-{identifier[:8]}",
            "status": "active",
            "dateLastModified": "2026-09-01T00:00:00Z",
            "enabledUser": True,
            "identifier": identifier,
            "givenName": "Parent",
            "familyName": "Sandbox",
            "roles": [{"roleType": "primary", "role": "parent"}],
            "agents": [{"sourcedId": one, "type": "user"} for one in pupils],
        }
    ]


def _places(grade: str, number: int, today: date) -> dict[str, Any]:
    """Give the next intake: September for schools, the next half-year for courses."""
    year = today.year if today < date(today.year, 5, 31) else today.year + 1
    capacity = 10 + 5 * number
    return {
        "grade": grade,
        "intake": f"{year}-09",
        "capacity": capacity,
        "remaining": (capacity * (number + len(grade)) // 20) % capacity,
        "applyBy": f"{year}-05-31",
    }


def _failure(status: int, minor: str, description: str) -> web.Response:
    field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {"imsx_codeMinorField": [field]},
    }
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")
