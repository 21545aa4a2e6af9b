"""An application publishes its documents; what would break them is refused or told by name."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

import schema
import server
from models.document import Trust
from resolvers.document import Published, hash_of
from schema import execution
from tests import asgi
from tests.hub import eventually

PUBLISH = """mutation Publish($input: PublishDocumentsInput!) {
  publishDocuments(input: $input) {
    __typename
    ... on ApplicationRelease {
      application version publishedBy retiredAt documentCount documents { hash text }
    }
    ... on MistakesFault { code mistakes { file line message hint } }
  }
}"""
RETIRE = """mutation Retire($input: RetireApplicationReleaseInput!) {
  retireApplicationRelease(input: $input) {
    __typename
    ... on ApplicationRelease { retiredAt }
    ... on UnknownCodeFault { message nearest }
  }
}"""
WITHDRAW = """mutation Withdraw($input: WithdrawServiceInput!) {
  withdrawService(input: $input) {
    __typename
    ... on MistakesFault { mistakes { file path message hint } }
  }
}"""
LISTED = "{ applicationReleases { application version documentCount } }"
HOME = "query Home { areas { code } }"
ARRIVAL = 'query Arrival { service(code: "arrival-guide") { ... on Service { code } } }'

admin = pytest.mark.viewer("admin")


@pytest.fixture
def publish(ask):
    async def publish(*texts: str, version: str = "1.4.0", **who) -> dict:
        given = [{"text": text} for text in texts]
        wanted = {"application": "web", "version": version, "documents": given}
        return (await ask(PUBLISH, {"input": wanted}, **who)).json()["data"]["publishDocuments"]

    return publish


@admin
async def test_an_admin_publishes_and_every_hub_has_it_within_a_second(publish, hub, ask):
    other = Published(hub.hub.database)
    await other.refreshed()

    found = await publish(HOME)

    async def has_it() -> bool:
        await other.refreshed()
        return HOME in other.texts

    await eventually(has_it, 1.0)
    assert found == {
        "__typename": "ApplicationRelease",
        "application": "web",
        "version": "1.4.0",
        "publishedBy": "demo-admin",
        "retiredAt": None,
        "documentCount": 1,
        "documents": [{"hash": hash_of(HOME), "text": HOME}],
    }
    assert (await ask(LISTED)).json()["data"]["applicationReleases"] == [
        {"application": "web", "version": "1.4.0", "documentCount": 1}
    ]


@admin
@pytest.mark.any_database
async def test_a_document_that_does_not_hold_is_refused_with_its_place(publish):
    found = await publish(HOME, "query Home {\n  areas { cod }\n}")

    assert found == {
        "__typename": "MistakesFault",
        "code": "BAD_INPUT",
        "mistakes": [
            {
                "file": "documents[1]",
                "line": 2,
                "message": "Cannot query field 'cod' on type 'Area'. Did you mean 'code' or 'id'?",
                "hint": None,
            }
        ],
    }


@pytest.mark.any_database
async def test_nobody_else_publishes(ask):
    wanted = {"application": "web", "version": "1", "documents": [{"text": HOME}]}
    roles = ("anonymous", "holder", "partner", "officer", "integrator")

    answers = [await ask(PUBLISH, {"input": wanted}, viewer=role) for role in roles]

    assert [one.json()["data"]["publishDocuments"] for one in answers] == [None] * len(roles)
    assert [one.codes for one in answers] == [["UNAUTHENTICATED"], *[["FORBIDDEN"]] * 4]


@admin
async def test_a_service_that_a_document_names_is_not_withdrawn_until_that_is_retired(
    publish, ask, hub
):
    await publish(HOME, ARRIVAL)
    revision = (await ask("{ edition { revision } }")).json()["data"]["edition"]["revision"]
    given = {"input": {"code": "arrival-guide", "expectedRevision": revision}}

    refused = (await ask(WITHDRAW, given)).json()["data"]["withdrawService"]
    retired = await ask(RETIRE, {"input": {"application": "web", "version": "1.4.0"}})
    again = (await ask(WITHDRAW, given)).json()["data"]["withdrawService"]

    assert refused["mistakes"] == [
        {
            "file": "web 1.4.0",
            "path": "Arrival",
            "message": "A document names the service “arrival-guide”.",
            "hint": "Retire these versions first: `retireApplicationRelease`.",
        }
    ]
    assert retired.json()["data"]["retireApplicationRelease"]["retiredAt"]
    assert "A document names" not in json.dumps(again, ensure_ascii=False)


@admin
@pytest.mark.any_database
async def test_what_was_never_published_is_not_retired(publish, ask):
    await publish(HOME)

    answer = await ask(RETIRE, {"input": {"application": "web", "version": "1.4.1"}})

    assert answer.json()["data"]["retireApplicationRelease"] == {
        "__typename": "UnknownCodeFault",
        "message": "There is no application and version “web 1.4.1”.",
        "nearest": ["web 1.4.0"],
    }


# ── asking by the hash ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def sent(stand):
    """Publish a document, and return what sends requests to a hub that knows it by now."""

    async def sent(trust: Trust = Trust.ANY, **settings):
        standing = stand(documents=trust, **settings)
        hub, built = standing.hub, schema.build_schema()
        found = server.documents_of(hub, built)
        view = execution.GraphQLView(built, hub.context, documents=found, page=hub.settings.ide)
        wanted = {"application": "web", "version": "1.4.0", "documents": [{"text": HOME}]}
        await standing.ask(PUBLISH, {"input": wanted}, viewer="admin")
        await hub.published.refreshed()

        async def send(role: str = "anonymous", *, method: str = "POST", **asked):
            headers = {"content-type": "application/json", **standing.bearer(role)}
            if method == "GET":
                plain = {
                    name: value if isinstance(value, str) else json.dumps(value)
                    for name, value in asked.items()
                }
                return await asgi.call(view, query=plain, headers=headers)
            return await asgi.call(view, "POST", headers=headers, body=json.dumps(asked).encode())

        return send

    return sent


def persisted(text: str) -> dict:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


async def test_a_published_document_is_asked_by_its_hash_alone(sent):
    send = await sent()

    by_id = await send(documentId=f"sha256:{hash_of(HOME)}")
    by_get = await send(method="GET", documentId=f"sha256:{hash_of(HOME)}")
    by_extension = await send(extensions=persisted(HOME))
    whole = await send(query=HOME)

    assert len(whole.json()["data"]["areas"]) == 12
    assert {by_id.body, by_get.body, by_extension.body} == {whole.body}


@pytest.mark.any_database
async def test_what_nobody_published_is_asked_for_once(sent):
    send = await sent()

    unknown = await send(extensions=persisted(ARRIVAL))
    taught = await send(query=ARRIVAL, extensions=persisted(ARRIVAL))
    known = await send(extensions=persisted(ARRIVAL))
    by_get = await send(method="GET", extensions=persisted(ARRIVAL))

    assert unknown.codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert taught.json()["data"]["service"]["code"] == "arrival-guide"
    assert known.body == by_get.body == taught.body


@pytest.mark.any_database
async def test_no_mutation_is_sent_by_get_under_a_hash_either(sent):
    send = await sent()
    act = "mutation Act { cancelBooking(input: {id: 1}) { __typename } }"
    await send(query=act, extensions=persisted(act))

    answer = await send(method="GET", extensions=persisted(act))

    assert answer.status == 405
    assert answer.codes == ["METHOD_NOT_ALLOWED"]


@pytest.mark.any_database
async def test_where_only_published_documents_run_no_other_does_but_for_who_looks_after_the_hub(
    sent,
):
    send = await sent(Trust.TRUSTED)

    published = [await send(query=HOME), await send(documentId=f"sha256:{hash_of(HOME)}")]
    refused = [
        await send(query=ARRIVAL),
        await send(query=ARRIVAL, extensions=persisted(ARRIVAL)),
        await send(extensions=persisted(ARRIVAL)),
        await send("holder", query=ARRIVAL),
        await send("partner", query=ARRIVAL),
    ]
    explored = [await send(role, query=ARRIVAL) for role in ("integrator", "officer", "admin")]

    assert all(one.json()["data"]["areas"] for one in published)
    assert [one.codes for one in refused] == [["DOCUMENT_NOT_TRUSTED"]] * 5
    assert all(one.json()["data"]["service"] for one in explored)


@pytest.mark.any_database
async def test_without_the_editor_nobody_explores(sent):
    send = await sent(Trust.TRUSTED)
    closed = await sent(Trust.TRUSTED, ide=False)

    assert (await send("admin", query=ARRIVAL)).json()["data"]
    assert (await closed("admin", query=ARRIVAL)).codes == ["DOCUMENT_NOT_TRUSTED"]


# ── the command line ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def greenway(kind, furnished, tmp_path):
    """Run the command line over the test's own database."""
    copy = shutil.copy(furnished.removeprefix("sqlite:///"), tmp_path / "hub.db")
    said = {"GREENWAY_DATA": str(tmp_path), "GREENWAY_DATABASE_URL": f"sqlite:///{copy}"}

    def greenway(*arguments: object):
        outside = [name for name in os.environ if name.startswith("GREENWAY_")]
        return CliRunner().invoke(
            server.cli, [str(one) for one in arguments], env=dict.fromkeys(outside) | said
        )

    return greenway


@pytest.fixture
def written(tmp_path):
    def written(name: str, content: object) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return written


WEB = ("--app", "web", "--version", "1.4.0")
MANIFESTS = {
    "relay": {hash_of(HOME): HOME, hash_of(ARRIVAL): ARRIVAL},
    "apollo": {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": hash_of(text), "body": text, "name": "X", "type": "query"}
            for text in (HOME, ARRIVAL)
        ],
    },
}


@pytest.mark.any_database
@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_is_published_listed_checked_and_retired(greenway, written, manifest):
    published = greenway("documents", "publish", written("manifest.json", manifest), *WEB)
    listed = greenway("documents", "list")
    checked = greenway("documents", "check")
    retired = greenway("documents", "retire", *WEB)
    after = greenway("documents", "list")

    assert published.output == "web 1.4.0 sends 2 documents.\n"
    assert listed.output.startswith("web 1.4.0: 2 documents, 20")
    assert checked.output == "Every published document holds.\n"
    assert retired.output == "web 1.4.0 is retired.\n"
    assert ", retired 20" in after.output


@pytest.mark.any_database
def test_files_are_published_each_as_it_is(greenway, written):
    files = [written("home.graphql", HOME), written("arrival.graphql", ARRIVAL)]

    found = greenway("documents", "publish", *files, *WEB)

    assert found.output == "web 1.4.0 sends 2 documents.\n"


@pytest.mark.any_database
@pytest.mark.parametrize("content", ["[]", "{", '{"format": "apollo-persisted-query-manifest"}'])
def test_what_is_no_manifest_is_refused(greenway, written, content):
    found = greenway("documents", "publish", written("manifest.json", content), *WEB)

    assert found.exit_code == 1
    assert "is no manifest of documents" in str(found.exception)


@pytest.mark.any_database
def test_hashes_of_another_sort_are_refused_with_what_to_do(greenway, written):
    manifest = written("relay.json", {"5d41402abc4b2a76b9719d911017c592": HOME})

    found = greenway("documents", "publish", manifest, *WEB)

    assert "is not the SHA-256 of this text" in str(found.exception)
    assert "made with SHA-256" in str(found.exception)


@pytest.mark.any_database
def test_the_check_names_the_application_the_version_the_operation_and_what_is_gone(
    greenway, written
):
    texts = [
        'query Gone { menu(filter: {partner: "gone-bank"}) { totalCount } }',
        """query Facts { service(code: "arrival-guide") { ... on Service {
          verdict(facts: [{name: "shoe_size", value: 42}]) { outcome } } } }""",
    ]
    greenway("documents", "publish", written("r.json", {hash_of(t): t for t in texts}), *WEB)

    found = greenway("documents", "check")

    assert found.exit_code == 1
    assert sorted(found.output.splitlines()) == [
        "web 1.4.0, Facts: There is no fact “shoe_size”.",
        "web 1.4.0, Gone: There is no partner “gone-bank”.",
    ]
