// Apollo Client against the hub, as an application sets it up.
import { createHash } from "node:crypto";

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { HttpLink } from "@apollo/client/link/http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { check, done, first, need } from "../report.js";

const [uri, holder] = process.argv.slice(2);
const headers = { authorization: holder };
const EDITION = gql`{ edition { revision publishedAt } }`;
const BESIDE = gql`{ me { name } edition { revision } }`;
const FOLLOWED = gql`subscription { edition { revision } }`;
const SHOWN = gql`
  mutation ($input: PresentCardInput!) { presentCard(input: $input) { ... on Fault { code message } } }
`;
const DEFERRED = gql`{ edition { revision } ... @defer { me { name } } }`;

// Its link looks for the browser's own, which Node.js 20 has not.
globalThis.WebSocket ??= WebSocket;

const asked = [];
const noting = (to, options) => {
  asked.push({ to: String(to), ...options });
  return fetch(to, options);
};

function client(link, options = {}) {
  return new ApolloClient({ link, cache: new InMemoryCache(), ...options });
}

function http(options = {}) {
  return new HttpLink({ uri, headers, fetch: noting, ...options });
}

await check("query", async () => {
  const { data } = await client(http()).query({ query: EDITION });
  need(data.edition.revision > 0, data);
});

await check("query by GET", async () => {
  const { data } = await client(http({ useGETForQueries: true })).query({ query: EDITION });
  need(data.edition.revision > 0 && asked.at(-1).method === "GET", asked.at(-1));
});

await check("mutation", async () => {
  const { data } = await client(http()).mutate({
    mutation: SHOWN,
    variables: { input: { serviceCode: "none", partnerCode: "none" } },
  });
  need(data.presentCard.__typename === "UnknownCodeFault", data);
});

await check("errors beside data", async () => {
  const { data, error } = await client(new HttpLink({ uri })).query({ query: BESIDE, errorPolicy: "all" });
  need(data.edition.revision > 0, data);
  need(CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code === "UNAUTHENTICATED", error);
});

await check("a document that does not hold", async () => {
  const error = await client(http()).query({ query: gql`{ nothing }` }).catch((one) => one);
  need(CombinedGraphQLErrors.is(error), error);
});

await check("a token that does not hold", async () => {
  const link = http({ headers: { authorization: "Bearer none" } });
  const error = await client(link).query({ query: EDITION }).catch((one) => one);
  need(CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code === "UNAUTHENTICATED", error);
});

await check("a batch is refused by its code", async () => {
  const link = new BatchHttpLink({ uri, headers });
  const error = await client(link).query({ query: EDITION }).catch((one) => one);
  need(/one operation in each request|BATCHING/i.test(JSON.stringify(error) + error.message), error);
});

await check("a persisted query, unknown at first and then known", async () => {
  const persisted = new PersistedQueryLink({
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
    useGETForHashedQueries: true,
  });
  const told = `query Told${process.pid} { edition { revision } }`;
  const sent = asked.length;
  const { data } = await client(ApolloLink.from([persisted, http()])).query({ query: gql(told) });
  const once = asked.length - sent;
  await client(ApolloLink.from([persisted, http()])).query({ query: gql(told) });
  need(data.edition.revision > 0 && once === 2 && asked.length - sent === 3, asked.slice(sent));
});

for (const [name, handler] of [
  ["of 2022", new Defer20220824Handler()],
  ["of graphql-js 17", new GraphQL17Alpha9Handler()],
]) {
  await check(`@defer, in the format ${name}`, async () => {
    const asking = client(http(), { incrementalHandler: handler });
    const { data, error } = await asking.query({ query: DEFERRED });
    need(!error && data.edition.revision > 0 && data.me.name, error ?? data);
  });
}

await check("subscription in multipart", async () => {
  const { data, error } = await first(client(http()).subscribe({ query: FOLLOWED }));
  need(data?.edition.revision > 0, error ?? data);
});

await check("subscription over a WebSocket", async () => {
  const socket = createClient({ url: uri.replace("http", "ws"), connectionParams: headers, webSocketImpl: WebSocket, retryAttempts: 0 });
  const { data, error } = await first(client(new GraphQLWsLink(socket)).subscribe({ query: FOLLOWED }));
  await socket.dispose();
  need(data?.edition.revision > 0, error ?? data);
});

done();
