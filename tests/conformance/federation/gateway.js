// A gateway over the hub and the visits, at the port named; it passes on who is asking.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { composeServices } from "@apollo/composition";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { parse } from "graphql";
import { served, typeDefs } from "./visits.js";

const { hub, sdl, ...data } = JSON.parse(await text(process.stdin));
const composed = composeServices([
  { name: "hub", url: hub, typeDefs: parse(sdl) },
  { name: "visits", url: await served(data), typeDefs },
]);
const gateway = createGatewayRuntime({
  supergraph: composed.supergraphSdl,
  logging: false,
  maskedErrors: false,
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({
      authorization: request.headers.get("authorization"),
    }),
  },
});
createServer(gateway).listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit());
