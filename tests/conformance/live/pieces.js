// What comes later, as the clients read it that an application has: by id, and by path.
import { ApolloClient, CombinedGraphQLErrors, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { HttpLink } from "@apollo/client/link/http";
import { Client, fetchExchange } from "@urql/core";
import { pipe, toObservable } from "wonka";

import { check, done, need } from "../report.js";

const [url, hasty] = process.argv.slice(2);
const WHOLE = [
  "{ item { name ... @defer { late } } }",
  "{ items { name ... @defer { late } } }",
  "{ items @stream { name } }",
  "{ items @stream(initialCount: 1) { name late } }",
  "{ items @stream(initialCount: 2) { name ... @defer { late } } }",
  "{ item { name ... @defer { pieces @stream(initialCount: 1) } } }",
];
// The place of a list in what is itself an item is not found by Apollo's reader by id.
const NESTED = "{ items @stream(initialCount: 1) { name pieces @stream(initialCount: 2) } }";

function apollo(incrementalHandler) {
  return (uri, query) => {
    const asking = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache(), incrementalHandler });
    const followed = asking.watchQuery({ query: gql(query), errorPolicy: "all" });
    return last(followed, ({ loading }) => !loading, ({ data, error }) => ({
      data,
      errors: CombinedGraphQLErrors.is(error) ? error.errors : [],
    }));
  };
}

function urql(at, query) {
  const asking = new Client({ url: at, exchanges: [fetchExchange], preferGetMethod: false });
  return last(pipe(asking.query(query, {}), toObservable), ({ hasNext }) => !hasNext, ({ data, error }) => ({
    data,
    errors: error?.graphQLErrors ?? [],
  }));
}

// What a client shows in the end, without the names of types that it has asked for.
function last(observable, isLast, shown) {
  return new Promise((next, error) => {
    observable.subscribe({ next: (told) => isLast(told) && next(plain(shown(told))), error });
  });
}

function plain({ data, errors }) {
  const named = JSON.stringify(data, (key, value) => (key === "__typename" ? undefined : value));
  return { data: JSON.parse(named), codes: [...new Set(errors.map((one) => one.extensions.code))] };
}

// The same document, answered whole to whoever reads no parts.
async function whole(query) {
  const headers = { accept: "application/json", "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
  return (await answer.json()).data;
}

function alike(one, other) {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

for (const [name, ask, documents] of [
  ["Apollo, in the format of 2022", apollo(new Defer20220824Handler()), [...WHOLE, NESTED]],
  ["Apollo, in the format of graphql-js 17", apollo(new GraphQL17Alpha9Handler()), WHOLE],
  ["urql", urql, [...WHOLE, NESTED]],
]) {
  for (const query of documents) {
    await check(`${name}: ${query}`, async () => {
      const [found, expected] = [await ask(url, query), await whole(query)];
      need(alike(found.data, expected) && found.codes.length === 0, found);
    });
  }

  await check(`${name}: a part that fails`, async () => {
    const { data, codes } = await ask(url, "{ items { name ... @defer { guarded } } }");
    const expected = { items: [{ name: "lamp", guarded: "lamp" }, { name: "bicycle" }, { name: "bell" }] };
    need(alike(data, expected) && codes.join() === "FORBIDDEN", { data, codes });
  });

  await check(`${name}: a list that fails`, async () => {
    const { data, codes } = await ask(url, "{ items @stream(initialCount: 1) { guarded } }");
    need(alike(data, { items: [{ guarded: "lamp" }] }) && codes.join() === "FORBIDDEN", { data, codes });
  });

  await check(`${name}: time that is over`, async () => {
    const { data, codes } = await ask(hasty, "{ hello ... @defer { slow } items @stream(initialCount: 1) { name } }");
    need(data.hello && data.items.length === 3 && codes.join() === "OPERATION_TIMEOUT", { data, codes });
  });
}

done();
