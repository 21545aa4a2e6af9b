// The suite's other two subgraphs, and a gateway over all three at the port named.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { composeServices } from "@apollo/composition";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { parse } from "graphql";

const { products, sdl, ports } = JSON.parse(await text(process.stdin));
const require = createRequire(import.meta.url);
const suite = require.resolve("@apollo/federation-subgraph-compatibility-tests/package.json");
const services = [{ name: "products", url: products, typeDefs: parse(sdl) }];

for (const [name, port] of Object.entries(ports)) {
  const folder = join(suite, "../dist/subgraphs", name);
  process.env[`${name.toUpperCase()}_PORT`] = port;
  const typeDefs = parse(readFileSync(join(folder, `${name}.graphql`), "utf8"));
  services.push({ name, url: `http://localhost:${port}/`, typeDefs });
  await import(join(folder, "index.js"));
}

const { errors, supergraphSdl } = composeServices(services);
if (errors) throw new Error(errors.join("\n"));
const gateway = createGatewayRuntime({
  supergraph: supergraphSdl,
  graphqlEndpoint: "/",
  logging: false,
});
createServer(gateway).listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit());
