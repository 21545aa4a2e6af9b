"""What a person is called before a partner: a name that tells nothing, another for each partner.

The idea is that of pairwise subject identifiers (OpenID Connect Core 1.0, section 8.1): partners
that lay their records side by side cannot tell that two names are one person's.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field

#: A name has so many bytes of the digest, as 32 letters and digits: 160 bits.
_BYTES = 20


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Gives people their names, under a key of the hub's; whoever has the key can match them."""

    key: bytes = field(repr=False)

    def of(self, partner: str, handle: str) -> str:
        """Return what the person with this handle is called before a partner: always the same."""
        said = f"{partner}\n{handle}".encode()  # No slug holds a line's end.
        digest = hmac.digest(self.key, said, "sha256")
        return base64.b32encode(digest[:_BYTES]).decode().lower()
