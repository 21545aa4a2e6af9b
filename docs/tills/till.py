"""A till: `HUB=https://… KEY=tck_live_… SERVICE=film-tickets python till.py <scanned code>`."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

body = {"presented": {"code": sys.argv[1]}, "serviceCode": os.environ["SERVICE"]}
body |= {"redeem": True, "idempotencyKey": str(uuid.uuid4())}
headers = {"authorization": f"Bearer {os.environ['KEY']}", "content-type": "application/json"}
request = urllib.request.Request(
    f"{os.environ['HUB']}/v1/verify", json.dumps(body).encode(), headers
)
for seconds in (0.2, 1, 3, 0):  # the same request under the same key: it is checked once
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            said = json.load(answer)
        break
    except urllib.error.HTTPError as refused:
        said = json.load(refused) if refused.code < 500 else {}
        if refused.code < 500 and refused.code != 429:
            break
    except OSError:  # no network, or no answer in time: nobody knows whether it was checked
        said = {}
    time.sleep(seconds)
accepted = said.get("__typename") == "CardAccepted"
names = ("codeProblem", "entitlementProblem", "refusal", "fix", "message")
why = [said[name] for name in names if said.get(name)] or ["RETRY_LATER"]
left = said["entitlement"]["unitsLeft"] if accepted else None
print(f"YES, {left} left" if accepted else f"NO: {', '.join(why)}")
print(said.get("receipt", {}).get("jws", "no receipt"))
sys.exit(not accepted)
