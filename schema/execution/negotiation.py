"""Which media type an answer takes: the Accept header, read with its weights."""

from __future__ import annotations

from collections.abc import Sequence

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"


def offered(*, page: bool) -> Sequence[str]:
    """Return the types that an answer may have; a page is one where that is what is asked for."""
    return (RESPONSE, JSON, HTML) if page else (RESPONSE, JSON)


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered type that is wanted most, the first of equals; None when none is wanted.

    A wildcard stands for JSON alone: whoever wants a page or the newer type names it.
    """
    weights = weighed(accept or "*/*")
    wildcard = weights.get("application/*", weights.get("*/*", 0.0))
    wanted = {name: weights.get(name, wildcard if name == JSON else 0.0) for name in offered}
    best = max(wanted, key=wanted.__getitem__)
    return best if wanted[best] > 0 else None


def weighed(header: str) -> dict[str, float]:
    """Return what a header lists, each with its weight (RFC 9110, section 12.4.2)."""
    return dict(_range(part) for part in header.split(",") if part.strip())


def ranked(header: str | None) -> list[str]:
    """Return the types that a header takes, the one that is wanted most first."""
    weights = weighed(header or "")
    return sorted((name for name in weights if weights[name] > 0), key=lambda name: -weights[name])


def media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """Return the media type of a header in lower case, and its parameters."""
    name, *rest = (part.strip().lower() for part in (header or "").split(";"))
    pairs = (part.partition("=") for part in rest)
    return name, {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _range(part: str) -> tuple[str, float]:
    name, parameters = media_type(part)
    try:
        return name, float(parameters.get("q", "1"))
    except ValueError:
        return name, 0.0
