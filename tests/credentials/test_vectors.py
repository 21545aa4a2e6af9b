"""Vectors that others published, where they are at hand.

The environment variable GREENWAY_TEST_VECTORS names a folder with clones of C2SP/wycheproof,
ietf-jose/cookbook, oauth-wg/oauth-selective-disclosure-jwt, oauth-wg/oauth-sd-jwt-vc and
oauth-wg/draft-ietf-oauth-status-list. Nothing of them is in this repository. The EU's health
certificates are not among them: their envelope is another than that of our passes.
"""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.utils.demo_utils import load_yaml_settings
from sd_jwt.utils.yaml_specification import load_yaml_specification
from sd_jwt.verifier import SDJWTVerifier

from credentials import base64url, compact, es256, sd_jwt, status
from credentials.flaw import Flaw, NotGenuineError
from tests.refusal import refused_as

NAME = "GREENWAY_TEST_VECTORS"
FOLDER = Path(os.environ.get(NAME, "."))

pytestmark = pytest.mark.skipif(
    NAME not in os.environ, reason=f"{NAME} names no folder: published vectors are not compared"
)


def read(path: str) -> dict:
    return json.loads((FOLDER / path).read_text(encoding="utf-8"))


def wycheproof(name: str) -> Iterator[tuple[dict, dict]]:
    """Each vector with its group."""
    for group in read(f"wycheproof/testvectors_v1/{name}_test.json")["testGroups"]:
        for vector in group["tests"]:
            yield group, vector


def holds(group: dict, jws: str) -> bool:
    """Whether a JWS is one of this key's, by the parts of our reader that are not about JSON."""
    try:
        key = es256.public_key(group["public"])
        head, said, signature = jws.split(".")
        header = compact.json_object(base64url.decode(head))
        base64url.decode(said)
        if header.keys() - {"alg", "kid", "typ"} or header["alg"] != "ES256":
            return False
        return es256.holds(key, f"{head}.{said}".encode(), base64url.decode(signature))
    except (NotGenuineError, ValueError, KeyError):
        return False


def test_signatures_are_judged_as_wycheproof_has_it():
    judged = 0
    for group, vector in wycheproof("ecdsa_secp256r1_sha256_p1363"):
        point = group["publicKey"]
        numbers = {
            name: base64url.encode(int(point[f"w{name}"], 16).to_bytes(32, "big"))
            for name in ("x", "y")
        }
        key = es256.public_key({"kty": "EC", "crv": "P-256", **numbers})
        found = es256.holds(key, bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"]))
        assert found == (vector["result"] == "valid"), (vector["tcId"], vector["comment"])
        judged += 1

    assert judged > 200


def test_no_jws_that_wycheproof_calls_invalid_is_accepted():
    accepted, valid = [], []
    for group, vector in wycheproof("json_web_signature"):
        found = "public" in group and holds(group, vector["jws"])
        ours = group.get("public", {}).get("alg") == "ES256"
        if found:
            accepted.append(vector)
        if ours and vector["result"] == "valid":
            valid.append(vector)

    assert [one for one in accepted if one["result"] != "valid"] == []
    # What is of another algorithm is refused; what is of ours and valid is accepted.
    assert [one["tcId"] for one in valid if one not in accepted] == []
    assert valid


@pytest.mark.parametrize("name", ["4_1.rsa_v15", "4_2.rsa-pss", "4_3.ecdsa", "4_4.hmac-sha2"])
def test_what_the_cookbook_signs_by_other_algorithms_is_refused(name):
    [path] = (FOLDER / "cookbook/jws").glob(f"{name}*.json")
    token = json.loads(path.read_text(encoding="utf-8"))["output"]["compact"]

    with refused_as(Flaw.WRONG_ALGORITHM):
        compact.parse(token, [None], required=("alg", "kid"))


def specifications() -> list[Path]:
    if NAME not in os.environ:
        return []
    folders = ("oauth-selective-disclosure-jwt", "oauth-sd-jwt-vc")
    return [
        path
        for folder in folders
        for path in sorted((FOLDER / folder / "examples").glob("*/specification.yml"))
    ]


@pytest.mark.parametrize("path", specifications(), ids=lambda path: path.parent.name)
def test_the_examples_of_sd_jwt_are_read_as_its_own_library_reads_them(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shown, read_by_it, key, nonce = presented(path)
    token, *disclosures, binding = shown.split("~")
    now = datetime.fromtimestamp(time.time(), UTC)

    header = compact.json_object(base64url.decode(token.split(".")[0]))
    found = compact.parse(token, [header.get("typ")], required=("alg",), allowed=("kid", "typ"))
    claims = sd_jwt.disclosed(found.proved(es256.public_key(key)), disclosures)

    assert {name: claims[name] for name in read_by_it} == read_by_it
    if binding:
        said = shown.rpartition("~")[0] + "~"
        holder = es256.public_key(claims["cnf"]["jwk"])
        sd_jwt._bind(binding, holder, said=said, audience=AUDIENCE, nonce=nonce, now=now)


AUDIENCE = "https://verifier.example.org"


def presented(path: Path) -> tuple[str, dict, dict, str]:
    """An example as its own library issues and shows it, and what it reads of that."""
    example = load_yaml_specification(path)
    settings = load_yaml_settings(path.parents[1] / "settings.yml")
    keys = settings["key_settings"]
    nonce = settings["key_binding_nonce"]
    issuing, holding = (
        JWK(**keys.get("issuer_key", keys.get("issuer_keys", [{}])[0])),
        JWK(**keys["holder_key"]),
    )
    claims = {**example["user_claims"], "iss": settings["identifiers"]["issuer"]}
    bound = bool(example.get("key_binding"))
    issuer = SDJWTIssuer(
        claims,
        issuing,
        holding if bound else None,
        add_decoy_claims=example.get("add_decoy_claims", False),
        extra_header_parameters=example.get("extra_header_parameters", {}),
    )
    wallet = SDJWTHolder(issuer.sd_jwt_issuance)
    wallet.create_presentation(
        example["holder_disclosed_claims"],
        *((nonce, AUDIENCE, holding) if bound else ()),
    )
    public = json.loads(issuing.export_public())
    shown = wallet.sd_jwt_presentation
    checked = SDJWTVerifier(
        shown, lambda *_: JWK(**public), *((AUDIENCE, nonce) if bound else ())
    ).get_verified_payload()
    return shown, checked, public, nonce


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_status_lists_of_the_draft_are_read(bits):
    folder = FOLDER / "draft-ietf-oauth-status-list"
    name = f"status_list_encoding{bits}{'_long' if bits < 4 else ''}_json.md"
    text = (folder / "examples" / name).read_text("utf-8")
    said = json.loads(re.sub(r"\s", "", text))
    listed = status.StatusList(said["bits"], status._inflated(said["lst"], 1 << 20))
    draft = (folder / "draft-ietf-oauth-status-list.md").read_text("utf-8")

    told = values(draft, bits)

    assert told
    assert {place: listed[place] for place in told} == told
    assert sum(byte != 0 for byte in listed.packed) <= len(told)


def values(draft: str, bits: int) -> dict[int, int]:
    """What the draft says stands at which place of its long list of so many bits."""
    _, _, section = draft.partition(f"\n## {bits}-bit Status List\n")
    found = re.findall(r"status\[(\d+)\]\s*=\s*0b([01]+)", section.partition("\n## ")[0])
    return {int(place): int(value, 2) for place, value in found}
