// An application over what the generator made: it compiles, and what it asks is answered.
import { ClientError, GraphQLClient } from "graphql-request";

import { useFragment } from "../generated/fragment-masking.js";
import { HomePageDocument, JudgedDocument, OffersFragmentDoc, ShownDocument, WhoDocument } from "../generated/graphql.js";
import { check, need as met } from "../report.js";

const [url, holder] = process.argv.slice(2) as [string, string];
const stranger = new GraphQLClient(url, { headers: { accept: "application/graphql-response+json" } });
const member = new GraphQLClient(url, { headers: { authorization: holder } });

// What compiles may rely on what was needed.
const need: (condition: unknown, found: unknown) => asserts condition = met;

await check("the home page of a member", async () => {
  const { me, categories, cinema } = await member.request(HomePageDocument, { language: "en" });
  need(me?.card?.areas.length === 12, "12 areas on the card");
  need(categories.some(({ services }) => services.some(({ name }) => name.text.length > 0)), "services");
  const offers = useFragment(OffersFragmentDoc, cinema);
  need(offers && "verdict" in offers && offers.verdict?.outcome, offers);
});

await check("a union told apart by its type, with variables", async () => {
  const { service } = await stranger.request(JudgedDocument, {
    code: "film-tickets",
    facts: [{ name: "age", value: 40 }],
  });
  need(service?.__typename === "Service", "the service");
  const { service: none } = await stranger.request(JudgedDocument, { code: "film-tikets" });
  need(none?.__typename === "UnknownCodeFault" && none.nearest.includes("film-tickets"), "the nearest");
});

await check("a mutation with its input", async () => {
  const { presentCard } = await member.request(ShownDocument, {
    input: { serviceCode: "no-such-service", partnerCode: "nobody" },
  });
  need(presentCard?.__typename === "UnknownCodeFault", `a fault, not ${presentCard?.__typename}`);
});

await check("data beside errors", async () => {
  const told = new GraphQLClient(url, { errorPolicy: "all" });
  const { data, errors, status } = await told.rawRequest("{ me { name } edition { revision } }");
  need(errors?.[0]?.extensions.code === "UNAUTHENTICATED", "a coded error");
  need((data as { edition?: object }).edition !== undefined, `data, status ${status}`);
});

await check("an error where one is not expected", async () => {
  const thrown = await stranger.request(WhoDocument).catch((error: unknown) => error);
  need(thrown instanceof ClientError, "a ClientError");
  need(thrown.response.errors?.[0]?.path?.[0] === "me", "its path");
});
