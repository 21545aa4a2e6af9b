"""Every act names who may do it, takes one input, and answers with what came of it or a fault."""

from __future__ import annotations

import graphql
import pytest
from strawberry.permission import PermissionExtension

from schema import mutation

FIELDS = {one.name: one for one in mutation.Mutation.__strawberry_definition__.fields}
#: The contract of checks is that of docs/adr/0032: tills send these arguments, and a refusal is an
#: answer like any other. What each takes and gives stands here, so that no other act slips in.
CHECKS = {
    "verifyCard": ({"input": "VerifyCardInput!"}, "VerifyCardOutcome"),
    "verifyCards": ({"inputs": "[VerifyCardInput!]!"}, "[VerifyCardOutcome!]"),
    "createChallenge": ({"serviceCode": "ID!"}, "Challenge"),
    "reportOfflineAcceptances": (
        {"passes": "[String!]!", "serviceCode": "ID!", "idempotencyKey": "String!"},
        "[VerifyCardOutcome!]",
    ),
}


@pytest.fixture(scope="session")
def acts(contract):
    return contract.mutation_type.fields


def test_there_are_acts_and_all_are_looked_at(acts):
    assert len(acts) == len(FIELDS) >= 5


@pytest.mark.parametrize("name", FIELDS)
def test_every_act_names_who_may_do_it(name):
    assert any(isinstance(one, PermissionExtension) for one in FIELDS[name].extensions)


def test_every_act_takes_one_input_of_its_own(acts):
    taken = {
        name: {arg: str(one.type) for arg, one in act.args.items()} for name, act in acts.items()
    }
    expected = {name: {"input": f"{name[0].upper()}{name[1:]}Input!"} for name in acts}

    assert taken == {**expected, **{name: takes for name, (takes, _) in CHECKS.items()}}


def test_every_act_answers_what_came_of_it_or_a_fault(acts):
    assert {name: str(acts[name].type) for name in CHECKS} == {
        name: gives for name, (_, gives) in CHECKS.items()
    }
    for name in acts.keys() - CHECKS:
        act = acts[name]
        assert isinstance(act.type, graphql.GraphQLUnionType), name
        faults = [one.name for one in act.type.types if one.name.endswith("Fault")]
        assert 0 < len(faults) < len(act.type.types), name
        for one in act.type.types:
            is_fault = "Fault" in {interface.name for interface in one.interfaces}
            assert is_fault is (one.name in faults), name


def test_nothing_that_is_asked_acts(contract):
    asked = contract.query_type.fields

    assert not [name for name in asked if name.startswith(("publish", "save", "set", "delete"))]
