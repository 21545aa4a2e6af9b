"""Every partner file at work against the sandbox system it names, sound and spoilt."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from connectors import registry
from connectors.errors import Problem
from connectors.partner import Freshness
from sandbox import fault, secret, system

#: The words the service menu may ask each partner for, and those it must have offers for.
TOPICS = {
    "jinzhong-road-hospital": (
        "appointment",
        ["medical-green-channel", "physical-check", "dental", "health-certificate"],
    ),
    "tianshan-clinic": (
        "appointment",
        ["medical-green-channel", "paediatrics", "vaccination", "dental"],
    ),
    "xinhua-bank": ("pass", ["account-opening", "foreign-exchange-counter", "remittance"]),
    "jiangsu-road-bank": ("pass", ["account-opening", "foreign-exchange-counter", "remittance"]),
    "hongqiao-exchange": ("quote", ["rates"]),
    "changning-school-office": (
        "place",
        ["primary", "middle", "kindergarten", "tutoring", "chinese-language"],
    ),
    "tianshan-school-office": (
        "place",
        ["primary", "middle", "kindergarten", "tutoring", "chinese-language"],
    ),
    "hongqiao-cinema": ("showing", ["film", "concert"]),
    "xinhua-culture-hall": ("showing", ["concert", "exhibition", "theatre"]),
}
ONE_OF_EACH = [
    "jinzhong-road-hospital",
    "xinhua-bank",
    "hongqiao-exchange",
    "changning-school-office",
    "hongqiao-cinema",
]


@pytest.fixture
async def at_work(running, client, tmp_path):
    """Put one partner file to work before the sandbox system it names."""

    async def start(slug):
        name = next(name for name, tenants in system.TENANTS.items() if slug in tenants)
        one = await running(name)
        shutil.copy(registry.PARTNERS / f"{slug}.yaml", tmp_path)
        loaded = registry.Registry.load(
            [tmp_path], client, {name: one.url}, secret.VALUES, one.clock
        )
        return loaded.partners[slug], one

    return start


def in_two_seconds():
    return asyncio.get_running_loop().time() + 2


def test_every_partner_file_holds_and_every_tenant_has_one():
    assert registry.check([registry.PARTNERS]) == []
    tenants = {slug for tenants in system.TENANTS.values() for slug in tenants}
    assert tenants == set(TOPICS)
    assert tenants <= set(registry.files([registry.PARTNERS]))


@pytest.mark.parametrize("slug", TOPICS)
async def test_every_topic_is_answered_and_all_together_by_one_call(at_work, asked, slug):
    capability, topics = TOPICS[slug]
    partner, its_system = await at_work(slug)

    answers = await partner.ask([asked(capability, topic) for topic in topics], in_two_seconds())

    assert {one.freshness for one in answers} == {Freshness.LIVE}
    assert all(one.offers for one in answers)
    assert its_system.calls[slug] == 1


@pytest.mark.parametrize("slug", ONE_OF_EACH)
@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        (fault.Mode.DOWN, Problem.UNREACHABLE),
        (fault.Mode.ERROR, Problem.UNWELL),
        (fault.Mode.HTML, Problem.WRONG_TYPE),
        (fault.Mode.TRUNCATED, Problem.UNREADABLE),
        (fault.Mode.WRONG, Problem.BAD_ANSWER),
        (fault.Mode.BUSY, Problem.RATE_LIMITED),
        (fault.Mode.UNAUTHORIZED, Problem.UNAUTHORIZED),
    ],
)
async def test_each_fault_of_the_sandbox_is_its_own_problem(at_work, asked, slug, mode, problem):
    capability, topics = TOPICS[slug]
    partner, its_system = await at_work(slug)
    await its_system.inject(fault.Fault(mode))

    [answer] = await partner.ask([asked(capability, topics[0])], in_two_seconds())

    assert (answer.freshness, answer.problem) == (Freshness.UNAVAILABLE, problem)


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        (fault.Mode.HANG, Problem.TIMEOUT),
        (fault.Mode.DRIP, Problem.TIMEOUT),
        (fault.Mode.HUGE, Problem.TOO_LARGE),
    ],
)
async def test_the_slow_faults_end_at_the_deadline(at_work, asked, mode, problem):
    partner, hospital = await at_work("tianshan-clinic")
    await hospital.inject(fault.Fault(mode))
    loop = asyncio.get_running_loop()
    began = loop.time()

    [answer] = await partner.ask([asked("appointment", "dental")], began + 0.5)

    assert answer.problem == problem
    assert loop.time() - began < 0.6
