// urql against the hub, as an application sets it up.
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { createClient as createStream } from "graphql-sse";
import { createClient as createSocket } from "graphql-ws";
import { pipe, toObservable } from "wonka";
import WebSocket from "ws";

import { check, done, first, need } from "../report.js";

const [url, holder] = process.argv.slice(2);
const headers = { authorization: holder };
const EDITION = gql`{ edition { revision publishedAt } }`;
const FOLLOWED = gql`subscription { edition { revision } }`;
const SHOWN = gql`
  mutation ($input: PresentCardInput!) { presentCard(input: $input) { ... on Fault { code message } } }
`;

// urql leaves the promise of a stream that it aborted itself to whoever catches it.
process.on("unhandledRejection", (error) => {
  if (error.name !== "AbortError") throw error;
});

const asked = [];
const noting = (to, options) => {
  asked.push({ to: String(to), ...options });
  return fetch(to, options);
};

function client(options = {}) {
  return new Client({
    url,
    exchanges: [fetchExchange],
    fetch: noting,
    fetchOptions: { headers },
    preferGetMethod: false,
    ...options,
  });
}

// What the exchange hands to another library, in its own words.
function over(library) {
  return subscriptionExchange({
    forwardSubscription: (request) => ({
      subscribe: (sink) => ({ unsubscribe: library.subscribe({ ...request, query: request.query ?? "" }, sink) }),
    }),
  });
}

function followed(one) {
  return first(pipe(one.subscription(FOLLOWED, {}), toObservable));
}

await check("query", async () => {
  const { data, error } = await client().query(EDITION, {}).toPromise();
  need(!error && data.edition.revision > 0, error ?? data);
});

await check("query by GET", async () => {
  const { data, error } = await client({ preferGetMethod: true }).query(EDITION, {}).toPromise();
  need(!error && data.edition.revision > 0 && asked.at(-1).method === "GET", error ?? asked.at(-1));
});

await check("mutation", async () => {
  const input = { serviceCode: "none", partnerCode: "none" };
  const { data, error } = await client().mutation(SHOWN, { input }).toPromise();
  need(!error && data.presentCard.code === "UNKNOWN_CODE", error ?? data);
});

await check("errors beside data", async () => {
  const asking = client({ fetchOptions: {} });
  const { data, error } = await asking.query(gql`{ me { name } edition { revision } }`, {}).toPromise();
  need(data.edition.revision > 0, data);
  need(error.graphQLErrors[0].extensions.code === "UNAUTHENTICATED", error);
});

await check("a document that does not hold", async () => {
  const { error } = await client().query(gql`{ nothing }`, {}).toPromise();
  need(error.graphQLErrors.length === 1 && !error.networkError, error);
});

await check("@defer", async () => {
  const query = gql`{ edition { revision } ... @defer { me { name } } }`;
  const { data, error } = await client().query(query, {}).toPromise();
  need(!error && data.edition.revision > 0 && data.me.name, error ?? data);
});

await check("subscription by its own fetch", async () => {
  const { data, error } = await followed(client({ fetchSubscriptions: true }));
  need(data?.edition.revision > 0, error ?? data);
});

await check("subscription by graphql-sse", async () => {
  const stream = createStream({ url, headers, retryAttempts: 0 });
  const { data, error } = await followed(client({ exchanges: [over(stream)] }));
  stream.dispose();
  need(data?.edition.revision > 0, error ?? data);
});

await check("subscription by graphql-ws", async () => {
  const socket = createSocket({ url: url.replace("http", "ws"), connectionParams: headers, webSocketImpl: WebSocket, retryAttempts: 0 });
  const { data, error } = await followed(client({ exchanges: [over(socket)] }));
  await socket.dispose();
  need(data?.edition.revision > 0, error ?? data);
});

done();
