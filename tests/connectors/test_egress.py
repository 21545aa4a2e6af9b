import asyncio
import ipaddress
import socket

import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as some

from connectors import egress, errors, exchange, http, transport
from tests import partner

INSIDE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
)
INSIDE_SIX = (
    "::/128",
    "::1/128",
    "::/96",
    "100::/64",
    "64:ff9b:1::/48",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
WRAPPED = ("::ffff:0:0", "64:ff9b::")
PUBLIC = ("1.1.1.1", "9.9.9.9", "192.0.1.1", "2606:4700:4700::1111", "2400:3200::1")


def within(network):
    one = ipaddress.ip_network(network)
    return some.integers(0, one.num_addresses - 1).map(lambda place: one[place])


def wrapped(address, prefix):
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address)))


four = some.sampled_from(INSIDE).flatmap(within)
six = some.sampled_from(INSIDE_SIX).flatmap(within)


@given(four | six)
def test_what_is_inside_is_not_connected_to(address):
    assert not egress.permits(str(address), 443, ())


@given(four, some.sampled_from(WRAPPED))
def test_nor_is_it_by_way_of_another_family(address, prefix):
    assert not egress.permits(wrapped(address, prefix), 443, ())


@given(some.sampled_from(["fe80::1", "fe80::a9fe:a9fe"]), some.sampled_from(["1", "eth0", "lo"]))
def test_a_zone_changes_nothing(address, zone):
    assert not egress.permits(f"{address}%{zone}", 80, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_connected_to(address):
    assert egress.permits(address, 443, ())


@pytest.mark.parametrize("prefix", WRAPPED)
def test_so_is_a_public_address_by_way_of_another_family(prefix):
    assert egress.permits(wrapped(ipaddress.ip_address("9.9.9.9"), prefix), 443, ())


@pytest.mark.parametrize(
    ("allowed", "address", "port", "permitted"),
    [
        ("10.1.0.0/16", "10.1.2.3", 80, True),
        ("10.1.0.0/16", "10.2.2.3", 80, False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", 80, True),
        ("10.1.2.3:8443", "10.1.2.3", 8443, True),
        ("10.1.2.3:8443", "10.1.2.3", 8444, False),
        ("fd00::/8", "fd00::7", 80, True),
        ("[fd00::7]:443", "fd00::7", 443, True),
        ("[fd00::7]:443", "fd00::7", 80, False),
        (" 10.1.0.0/16 , 127.0.0.1 ", "127.0.0.1", 1, True),
        ("0.0.0.0/0", "fd00::7", 80, False),
    ],
)
def test_what_the_operator_allows_is_connected_to_and_no_more(allowed, address, port, permitted):
    assert egress.permits(address, port, egress.places(allowed)) is permitted


def test_an_empty_setting_allows_nothing():
    assert egress.places("") == ()


@pytest.mark.parametrize(
    "text", ["bank.example", "10.0.0.1/8", "10.1.2.3:0", "10.1.2.3:65536", "[::1", "10.1.2.3:"]
)
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        egress.places(text)


# ── against sockets ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def loopback():
    async with partner.running(partner.says()) as running:
        yield running


def port_of(loopback):
    return loopback.url.rpartition(":")[2]


async def failure_of(call):
    with pytest.raises(errors.PartnerError) as failed:
        await call
    return failed.value


SPELT = (
    "127.0.0.1",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "017700000001",
    "2130706433",
    "127.0.0.1.",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "１２７.0.0.1",
    "ⓛocalhost",
)


@pytest.mark.parametrize("host", SPELT)
async def test_no_spelling_reaches_an_address_inside(loopback, host):
    async with http.HTTPClient() as client:
        one = client.partner("clinic", f"http://{host}:{port_of(loopback)}")

        failure = await failure_of(one.get("Slot"))

    assert failure.problem in (errors.Problem.FORBIDDEN_ADDRESS, errors.Problem.UNREACHABLE)
    assert loopback.calls == []


async def test_an_address_inside_is_told_as_such_asked_for_once_and_opens_no_breaker(loopback):
    policy = http.Policy(attempts=3, breaker_failures=1)
    async with http.HTTPClient() as client:
        one = client.partner("clinic", loopback.url, policy)

        failures = [await failure_of(one.get("Slot")) for _ in range(3)]

    assert {failure.problem for failure in failures} == {errors.Problem.FORBIDDEN_ADDRESS}
    assert not any(failure.may_have_acted for failure in failures)
    assert one.calls == 3
    assert one.breaker.state(0.0) == "CLOSED"


@pytest.fixture
def resolves(monkeypatch):
    """Let every name have these addresses: at each look-up the next list, at last the last."""
    asked = []

    def told(*answers):
        async def getaddrinfo(host, port, **_):
            asked.append(host)
            given = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in given]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        return asked

    return told


async def test_a_name_is_judged_by_the_address_that_is_connected_to(loopback, resolves):
    asked = resolves(["127.0.0.1"], ["127.0.0.2"])
    allow = egress.places("127.0.0.1")
    address = f"http://rebinding.example:{port_of(loopback)}"

    async with http.HTTPClient(allow=allow) as client:
        good = await client.partner("clinic", address).get("Slot")
    async with http.HTTPClient(allow=allow) as client:
        failure = await failure_of(client.partner("clinic", address).get("Slot"))

    assert good.status == 200
    assert failure.problem is errors.Problem.FORBIDDEN_ADDRESS
    assert len(asked) == 2
    assert len(loopback.calls) == 1


async def test_of_several_addresses_of_a_name_those_inside_are_passed_over(loopback, resolves):
    resolves(["127.0.0.2", "10.0.0.1", "127.0.0.1"])
    address = f"http://mixed.example:{port_of(loopback)}"

    async with http.HTTPClient(allow=egress.places("127.0.0.1")) as client:
        reply = await client.partner("clinic", address).get("Slot")

    assert reply.status == 200


METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.mark.parametrize("hosts", [(), (METADATA,)])
async def test_no_redirect_leads_to_what_a_machine_is_told_about_itself(hosts):
    async with (
        partner.running(partner.says(status=307, Location=METADATA)) as loopback,
        partner.client() as client,
    ):
        one = client.partner("clinic", loopback.url, hosts=hosts)

        failure = await failure_of(one.get("Slot"))

    assert failure.problem is errors.Problem.FORBIDDEN_ADDRESS


async def test_a_link_to_a_declared_name_does_not_lead_inside(loopback, resolves):
    resolves(["10.0.0.5"])
    async with partner.client() as client:
        one = client.partner("clinic", loopback.url, hosts=("http://pages.example",))

        failure = await failure_of(one.follow("http://pages.example/Slot?page=2"))

    assert failure.problem is errors.Problem.FORBIDDEN_ADDRESS


async def test_credentials_never_leave_for_an_address_inside(loopback):
    sockets = transport.Sockets()
    request = exchange.Request("POST", yarl.URL(loopback.url), content=b"secret", reads=False)

    failure = await failure_of(sockets.send(request, 1))
    await sockets.close()

    assert failure.problem is errors.Problem.FORBIDDEN_ADDRESS
    assert loopback.calls == []
