// graphql-transport-ws, by the client of its authors and by bare sockets that misbehave.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { check, done, need } from "../report.js";

const [url] = process.argv.slice(2);
const PROTOCOL = "graphql-transport-ws";

function client(options = {}) {
  return createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
}

async function all(one, query, variables) {
  const found = [];
  for await (const answer of one.iterate({ query, variables })) found.push(answer);
  return found;
}

// A socket without a library: what it says, what it hears, and how it was closed.
function bare(protocols = PROTOCOL) {
  const socket = new WebSocket(url, protocols);
  const heard = [];
  const waiting = [];
  const tell = (what) => (waiting.length ? waiting.shift()(what) : heard.push(what));
  socket.on("message", (text) => tell(JSON.parse(text)));
  socket.on("close", (code, reason) => tell({ code, reason: String(reason) }));
  socket.on("error", () => {});
  return {
    socket,
    say: (what) => socket.send(typeof what === "string" ? what : JSON.stringify(what)),
    hear: () => (heard.length ? heard.shift() : new Promise((next) => waiting.push(next))),
    open: () => new Promise((next) => socket.on("open", next)),
  };
}

async function begun() {
  const one = bare();
  await one.open();
  one.say({ type: "connection_init" });
  const ack = await one.hear();
  need(ack.type === "connection_ack", ack);
  return one;
}

async function closed(one, code) {
  const heard = await one.hear();
  need(heard.code === code, heard);
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

await check("many operations on one socket", async () => {
  const one = client({ lazy: false });
  const found = await Promise.all(
    Array.from({ length: 10 }, (_, n) => all(one, "query ($n: String!) { hello(name: $n) }", { n: `${n}` })),
  );
  need(found.every(([answer], n) => answer.data.hello === `Hello, ${n}.`), found);
  await one.dispose();
});

await check("errors of one operation leave the others alone", async () => {
  const one = client({ lazy: false });
  const following = one.iterate({ query: "subscription { value }" });
  const first = await following.next();
  for (const wrong of ["{ hello", "{ nobody }", "subscription { refused }"]) {
    const found = await all(one, wrong).catch((errors) => errors);
    need(Array.isArray(found) && found[0].extensions.code, found);
  }
  const [hello] = await all(one, "{ hello }");
  need(hello.data.hello && "value" in first.value.data, hello);
  await following.return();
  await one.dispose();
});

await check("pings of the client are answered", async () => {
  let ponged = 0;
  const one = client({ lazy: false, keepAlive: 20, on: { pong: (received) => (ponged += received) } });
  await all(one, "{ hello }");
  await new Promise((next) => setTimeout(next, 200));
  need(ponged > 1, ponged);
  await one.dispose();
});

await check("a client that ends an operation may use its id again", async () => {
  const one = await begun();
  one.say({ type: "subscribe", id: "x", payload: { query: "subscription { value }" } });
  await one.hear();
  one.say({ type: "complete", id: "x" });
  one.say({ type: "subscribe", id: "x", payload: { query: "{ hello }" } });
  const [next, complete] = [await one.hear(), await one.hear()];
  need(next.type === "next" && complete.type === "complete", [next, complete]);
  one.socket.close();
});

await check("4400 for what is no JSON", async () => {
  const one = await begun();
  one.say("{");
  await closed(one, 4400);
});

await check("4400 for a message of no type", async () => {
  const one = await begun();
  one.say({ type: "start", id: "1" });
  await closed(one, 4400);
});

await check("4401 for asking first", async () => {
  const one = bare();
  await one.open();
  one.say({ type: "subscribe", id: "1", payload: { query: "{ hello }" } });
  await closed(one, 4401);
});

await check("4403 for a token that does not hold", async () => {
  const found = await all(client({ connectionParams: { authorization: "Bearer gone" } }), "{ hello }").catch((event) => event);
  need(found.code === 4403, found.code);
});

await check("4406 for another protocol", async () => {
  const one = bare([]);
  await closed(one, 4406);
});

await check("4408 for saying nothing", async () => {
  await closed(bare(), 4408);
});

await check("4409 for an id in use", async () => {
  const one = await begun();
  const asked = { type: "subscribe", id: "1", payload: { query: "subscription { value }" } };
  one.say(asked);
  await one.hear();
  one.say(asked);
  await closed(one, 4409);
});

await check("4429 for saying twice who one is", async () => {
  const one = await begun();
  one.say({ type: "connection_init" });
  await closed(one, 4429);
});

await check("a page of others opens nothing", async () => {
  const status = await new Promise((next) => {
    const one = new WebSocket(url, PROTOCOL, { origin: "https://evil.example" });
    one.on("unexpected-response", (_, answer) => next(answer.statusCode));
    one.on("open", () => next("open"));
    one.on("error", () => {});
  });
  need(status === 403, status);
});

done();
