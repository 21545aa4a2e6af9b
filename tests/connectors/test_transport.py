import asyncio
import json
import sys
import zlib
from collections import Counter

import pytest

from tests import partner

MEGABYTE = 1_000_000

#: Asks five partners, eight calls each at once, at these paths in turn: how the calls ended, and
#: by how many bytes the most memory that was ever held grew.
ASKING = """
import asyncio, json, sys
from collections import Counter

from connectors import egress, errors, http

address, *paths = sys.argv[1:]


def most():
    # Of this process alone: what the system counts for it elsewhere begins with its parent's.
    (line,) = (one for one in open("/proc/self/status") if one.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


async def ending(one, path):
    try:
        return len((await one.get(path)).body)
    except errors.PartnerError as failure:
        return failure.problem


async def main():
    policy = http.Policy(deadline_seconds=30.0, attempts=1, breaker_failures=100)
    async with http.HTTPClient(allow=egress.LOOPBACK) as client:
        partners = [client.partner(f"clinic-{n}", address, policy) for n in range(5)]
        await partners[0].get("small")
        before = most()
        calls = [
            ending(one, f"{paths[n % len(paths)]}-{n}") for one in partners for n in range(8)
        ]
        ends = Counter(map(str, await asyncio.gather(*calls)))
        print(json.dumps([ends, most() - before]))


asyncio.run(main())
"""


def stream(packed=None):
    """Return what sends 50 MB as they are, or 10 GB of zeros packed on the way."""

    async def does(request):
        headers = {"Content-Type": "application/json", **(packed or {})}
        response = partner.web.StreamResponse(headers=headers)
        await response.prepare(request)
        packer = zlib.compressobj(wbits=31)
        for _ in range(10_000 if packed else 50):
            zeros = bytes(MEGABYTE)
            await response.write(packer.compress(zeros) if packed else zeros)
            # Nobody reads on: whoever sends must notice.
            await asyncio.sleep(0)
        return response

    return does


WHAT = {
    "/small": partner.says(),
    "/large": stream(),
    "/bomb": stream({"Content-Encoding": "gzip"}),
    "/twice": stream({"Content-Encoding": "gzip, gzip"}),
}


async def by_path(request):
    return await WHAT[request.path.partition("-")[0]](request)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
async def test_forty_calls_at_once_of_large_bodies_and_bombs_take_little_memory():
    async with partner.running(by_path) as loopback:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ASKING,
            loopback.url,
            "large",
            "bomb",
            "twice",
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await asyncio.wait_for(process.communicate(), 60)

    ends, more = json.loads(told)
    assert Counter(ends) == {"PARTNER_TOO_LARGE": 30, "PARTNER_UNREADABLE": 10}
    assert more <= 100 * MEGABYTE
