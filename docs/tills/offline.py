"""A till without a network: `python offline.py jwks.json status.jwt quill-cinema < scanned`."""

import base64
import hashlib
import json
import sys
import time
import zlib
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def must(holds, why):
    if not holds:
        raise ValueError(why)


def unbase45(text):
    values = [DIGITS.index(one) for one in text]
    groups = [values[at : at + 3] for at in range(0, len(values), 3)]
    pairs = [(sum(digit * 45**n for n, digit in enumerate(one)), len(one) - 1) for one in groups]
    return b"".join(number.to_bytes(size, "big") for number, size in pairs)


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def exact(raw):
    found = cbor2.loads(raw)
    must(cbor2.dumps(found, canonical=True) == raw, "spelt otherwise")
    return found


def check(point, said, signature):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key.verify(utils.encode_dss_signature(r, s), said, ec.ECDSA(hashes.SHA256()))


def point_of(keys, starts, purpose):
    named = (one for one in keys if unbase64(one["kid"]).startswith(starts))
    key = next(one for one in named if one.get("purpose") == purpose)
    return b"\4" + unbase64(key["x"]) + unbase64(key["y"])


def read(scanned, keys, partner, now):
    """Return what a pass says that the hub gave for this partner and its phone shows now."""
    must(scanned.startswith("GWP1:") and len(scanned) <= 2048, "no pass")
    raw = unbase45(scanned.removeprefix("GWP1:"))
    cwt, step, shown = raw[:-68], raw[-68:-64], raw[-64:]
    protected, unprotected, payload, signature = exact(cwt).value
    header, said = exact(protected), exact(payload)
    must(exact(cwt).tag == 18 and unprotected == {} and len(header[4]) == 8, "another envelope")
    must(header == {1: -7, 4: header[4], 16: "application/tc-pass+cwt"}, "another header")
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    check(point_of(keys, header[4], "pass"), signed, signature)
    must(set(said) <= {2, 3, 4, 6, 8, 65535, -65537}, "it says more than a till knows")
    device = said[8][1]
    must(device == {1: 2, -1: 1, -2: device[-2], -3: device[-3]}, "another sort of key")
    check(bytes([2 + device[-3]]) + device[-2], hashlib.sha256(cwt).digest() + step, shown)
    must(said[3] == partner, "for another partner")
    must(said[6] - 60 <= now < said[4] + 60, "not at this time")
    must(abs(now // 30 - int.from_bytes(step, "big")) <= 1, "not shown now: is it a photo?")
    return said


def status(token, keys, uri, place, now):
    """Return what a status list says of a place: 0 where the card counts."""
    head, body, signature = token.split(".")
    header, said = (json.loads(unbase64(part)) for part in (head, body))
    must((header["alg"], header["typ"]) == ("ES256", "statuslist+jwt"), "no status list")
    point = point_of(keys, unbase64(header["kid"]), "status")
    check(point, f"{head}.{body}".encode(), unbase64(signature))
    must(said["sub"] == uri and place >= 0, "another list")
    must(said["iat"] - 60 <= now < said["exp"] + 60, "out of date")
    bits, inflater = said["status_list"]["bits"], zlib.decompressobj()
    listed = inflater.decompress(unbase64(said["status_list"]["lst"]), 1 << 18)
    must(bits in (1, 2, 4, 8) and inflater.eof and not inflater.unused_data, "no list")
    byte, shift = divmod(place * bits, 8)
    return listed[byte] >> shift & (1 << bits) - 1


if __name__ == "__main__":
    try:
        known = json.loads(Path(sys.argv[1]).read_text())["keys"]
        now = float(sys.argv[4]) if len(sys.argv) > 4 else time.time()  # another time, to try it
        said = read(sys.stdin.readline().strip(), known, sys.argv[3], now)
        at = said[65535]["status_list"]
        token = Path(sys.argv[2]).read_text()
        must(status(token, known, at["uri"], at["idx"], now) == 0, "it does not count")
        print("YES, tier", said[-65537][1])
    except Exception as wrong:  # whatever it is, this is no good pass
        sys.exit(f"NO: {str(wrong) or type(wrong).__name__}")
