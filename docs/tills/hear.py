"""Hears of changes: `SECRET=whsec_… python hear.py 8080`, behind what speaks https for it."""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
NOW = float(sys.argv[2]) if len(sys.argv) > 2 else None  # another time, to try it
heard = set()  # the ids of four days: keep them where your data are, beside what came of each


def is_genuine(headers, body):
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id_, seconds, signatures = (headers.get(name, "") for name in names)
    said = f"{id_}.{seconds}.".encode() + body
    mac = b"v1," + base64.b64encode(hmac.digest(KEY, said, "sha256"))
    # While the secret is changed there are two signatures: one must hold.
    is_signed = any(hmac.compare_digest(mac, one.encode()) for one in signatures.split(" "))
    return is_signed and abs((NOW or time.time()) - int(seconds)) <= 300


class Ear(BaseHTTPRequestHandler):
    """Takes what the hub has signed."""

    timeout = 10

    def do_POST(self):
        """Print what is heard for the first time, and answer."""
        size = self.headers.get("content-length", "")
        body = self.rfile.read(min(int(size), 65_536)) if size.isdecimal() else b""
        is_so = is_genuine(self.headers, body)
        if is_so and self.headers["webhook-id"] not in heard:
            said = json.loads(body)
            print(said["type"], said["data"]["holder"], *said["data"]["areas"], flush=True)
            heard.add(self.headers["webhook-id"])
        self.send_response(204 if is_so else 401)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), Ear).serve_forever()
