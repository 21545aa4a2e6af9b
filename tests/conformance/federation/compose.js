// Composes the subgraph in a file, alone and with the visits; tells of each composer.
import { readFileSync } from "node:fs";
import { composeServices as byApollo } from "@apollo/composition";
import { composeServices as byTheGuild } from "@theguild/federation-composition";
import { parse } from "graphql";
import { check } from "../report.js";
import { typeDefs } from "./visits.js";

const sdl = readFileSync(process.argv[2], "utf8");
const hub = { name: "hub", url: "http://hub.example/graphql", typeDefs: parse(sdl) };
const visits = { name: "visits", url: "http://visits.example/graphql", typeDefs };
const composers = {
  "@apollo/composition": byApollo,
  "@theguild/federation-composition": byTheGuild,
};

for (const [name, compose] of Object.entries(composers)) {
  for (const services of [[hub], [hub, visits]]) {
    await check(`${name} ${services.map((one) => one.name).join(" with ")}`, () => {
      const { errors = [], hints = [], supergraphSdl } = compose(services);
      const warnings = hints.filter((one) => one.definition.level.name === "WARN");
      const wrong = [...errors, ...warnings].map((one) => one.message);
      if (wrong.length || !supergraphSdl) throw new Error(wrong.join("\n"));
    });
  }
}
