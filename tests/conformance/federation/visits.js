// A small subgraph beside the hub: who was where, by the codes and serials that visitors leave.
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { graphql, parse } from "graphql";

export const typeDefs = parse(`
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])

  type Query {
    "All visits, the latest first, page by page."
    visits(first: Int! = 100): VisitConnection!
  }

  type VisitConnection { edges: [VisitEdge!]! pageInfo: PageInfo! }
  type VisitEdge { node: Visit! cursor: String! }
  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }

  interface Node { id: ID! }
  type Visit implements Node @key(fields: "id") {
    id: ID!
    stars: Int!
    card: Card!
    service: Service!
    partner: Partner!
    station: Station!
  }

  type Card @key(fields: "serial") { serial: String! visits: Int! }
  type Service @key(fields: "code") { code: String! stars: Float }
  type Partner @key(fields: "code") { code: String! stars: Float }
  type Station @key(fields: "code") { code: String! isBusy: Boolean! }
  type Talent @key(fields: "id") { id: ID! isGuide: Boolean! }
`);

/** Returns the subgraph's schema over visits with these cards at these places. */
function schema({ serials, service, partner, station }) {
  const visits = serials.map((serial, at) => ({
    id: `Visit:${at}`,
    stars: 1 + (at % 5),
    card: { serial },
    service: { code: service },
    partner: { code: partner },
    station: { code: station },
  }));
  const stars = () => visits.reduce((sum, one) => sum + one.stars, 0) / visits.length;
  const resolvers = {
    Query: {
      visits: (_, { first }) => {
        const edges = visits.slice(0, first).map((node, at) => ({ node, cursor: String(at) }));
        const hasNextPage = visits.length > edges.length;
        return { edges, pageInfo: { hasNextPage, hasPreviousPage: false } };
      },
    },
    Visit: { __resolveReference: ({ id }) => visits.find((one) => one.id === id) },
    Card: { visits: ({ serial }) => serials.filter((one) => one === serial).length },
    Service: { stars: ({ code }) => (code === service ? stars() : null) },
    Partner: { stars: ({ code }) => (code === partner ? stars() : null) },
    Station: { isBusy: ({ code }) => code === station },
    Talent: { isGuide: () => true },
  };
  return buildSubgraphSchema({ typeDefs, resolvers });
}

/** Serves the subgraph on loopback, and returns where. */
export async function served(data) {
  const made = schema(data);
  const server = createServer(async (request, response) => {
    const { query: source, variables: variableValues, operationName } = await json(request);
    const answer = await graphql({ schema: made, source, variableValues, operationName });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${server.address().port}/graphql`;
}
