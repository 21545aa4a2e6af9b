"""The page a browser gets: GraphiQL from this machine, or how to build it."""

from __future__ import annotations

from pathlib import Path

from schema.execution.answer import Answer, headers

# `make web` builds it; the server mounts this folder at ASSETS_URL.
ASSETS = Path(__file__).parents[2] / "web" / "dist"
ASSETS_URL = "/graphiql"

# Monaco writes its colours as inline styles and carries its icons as data; all else is a file here.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_UNBUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Greenway</title>
<h1>Greenway speaks GraphQL here</h1>
<p>The in-browser editor is not built yet. With Node 20 or later: <code>make web</code>,
then load this page again. Any GraphQL client works without it:</p>
<pre>curl -s http://127.0.0.1:8000/graphql -H 'content-type: application/json' \\
  -d '{"query": "{ categories { code } }"}'</pre>
"""


def page(assets: Path = ASSETS) -> Answer:
    """Return GraphiQL as built in the folder, else a plain page that says how to build it."""
    index = assets / "index.html"
    text = index.read_text(encoding="utf-8") if index.is_file() else _UNBUILT
    body = text.encode()
    said = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _POLICY,
        "cache-control": "no-store",
    }
    return Answer(200, headers(said), body)
