// graphql-sse, distinct connections, by the client of its authors and by bare requests.
import { createClient } from "graphql-sse";

import { check, done, need } from "../report.js";

const [url] = process.argv.slice(2);

function client(options = {}) {
  return createClient({ url, retryAttempts: 0, ...options });
}

async function all(one, query, variables) {
  const found = [];
  for await (const answer of one.iterate({ query, variables })) found.push(answer);
  return found;
}

function bare(query, headers = {}, method = "POST") {
  const asked = { accept: "text/event-stream", ...headers };
  if (method === "GET") return fetch(`${url}?${new URLSearchParams({ query })}`, { headers: asked });
  return fetch(url, {
    method,
    headers: { ...asked, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
}

await check("a query", async () => {
  const found = await all(client(), "{ hello }");
  need(found.length === 1 && found[0].data.hello === "Hello, world.", found);
});

await check("a mutation", async () => {
  const [found] = await all(client(), "mutation { act }");
  need(found.data.act > 0, found);
});

await check("a subscription until its end", async () => {
  const found = await all(client(), "subscription ($to: Int!) { numbers(to: $to) }", { to: 3 });
  need(found.map((one) => one.data.numbers).join() === "0,1,2", found);
});

await check("errors in the document", async () => {
  for (const wrong of ["{ hello", "{ nobody }", "subscription { refused }"]) {
    const [found] = await all(client(), wrong);
    need(found.errors[0].extensions.code && !("data" in found), found);
  }
});

await check("a token that does not hold", async () => {
  const found = await all(client({ headers: { authorization: "Bearer gone" } }), "{ hello }").catch((error) => error);
  need(JSON.stringify(found).includes("UNAUTHENTICATED") || found.response?.status === 401, found);
});

await check("a client that leaves and one that stays", async () => {
  const [one, other] = [client(), client()];
  const leaving = one.iterate({ query: "subscription { value }" });
  const staying = other.iterate({ query: "subscription { value }" });
  const found = [await leaving.next(), await staying.next()];
  await leaving.return();
  const [hello] = await all(other, "{ hello }");
  need(found.every((each) => "value" in each.value.data) && hello.data.hello, found);
  await staying.return();
});

await check("the media type and the bytes of a stream", async () => {
  const answer = await bare("subscription { numbers(to: 1) }");
  const text = await answer.text();
  need(answer.headers.get("content-type").startsWith("text/event-stream"), answer.headers);
  need(/^:\n\nevent: next\ndata: {"data":{"numbers":0}.*}\n\nevent: complete\ndata:\n\n$/.test(text), text);
});

await check("a query by GET", async () => {
  const text = await (await bare("{ hello }", {}, "GET")).text();
  need(text.includes('data: {"data":{"hello":"Hello, world."}'), text);
});

await check("no mutation by GET", async () => {
  const answer = await bare("mutation { act }", {}, "GET");
  need([405, 406].includes(answer.status), answer.status);
});

await check("a query of one that only takes events if need be", async () => {
  const answer = await bare("{ hello }", { accept: "application/json, text/event-stream" });
  need(answer.headers.get("content-type").startsWith("application/json"), answer.headers);
});

done();
