"""Two pages to try cards with, in demo mode: what a holder's phone shows, and what a till reads."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

#: Where the pages are, as they are served: nothing is built.
PAGES = Path(__file__).parents[1] / "web" / "pages"

_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
_HEADERS = {
    # They ask nobody but the hub, run nothing but their own files, and stand in no frame.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def routes() -> list[Route]:
    """Return the addresses of the pages, and of the files that they are made of."""
    parts = [
        _route(f"/pages/{path.name}", path)
        for path in sorted(PAGES.iterdir())
        if path.suffix in {".css", ".js"}
    ]
    pages = [_route(f"/{path.stem}", path) for path in sorted(PAGES.glob("*.html"))]
    return [*pages, *parts]


def _route(address: str, path: Path) -> Route:
    text = path.read_text(encoding="utf-8")

    async def served(_: Request) -> Response:
        return Response(text, media_type=_TYPES[path.suffix], headers=_HEADERS)

    return Route(address, served)
