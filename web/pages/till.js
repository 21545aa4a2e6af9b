// A till's page: what a scanner types is checked, and the outcome shown.

import { ask, at } from "./hub.js";

const VERIFY = `mutation ($input: VerifyCardInput!) { verifyCard(input: $input) {
  __typename
  ... on CardAccepted {
    evidence entitlement { unitsLeft } disclosed { ... on TierDisclosure { tier } } }
  ... on CodeNotUsable { codeProblem }
  ... on NotEntitled { entitlementProblem }
  ... on VerificationRefused { refusal } } }`;

function said(answer) {
  const more = [
    answer.disclosed?.tier && `tier ${answer.disclosed.tier}`,
    answer.entitlement?.unitsLeft != null && `${answer.entitlement.unitsLeft} left`,
    answer.codeProblem ?? answer.entitlementProblem ?? answer.refusal,
  ];
  return [answer.__typename, ...more.filter(Boolean)].join(" · ");
}

function number() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

at("check").addEventListener("submit", async (happened) => {
  happened.preventDefault();
  const input = {
    presented: { code: at("scanned").value },
    serviceCode: at("service").value,
    redeem: at("redeem").checked,
    idempotencyKey: number(),
  };
  const outcome = at("outcome");
  outcome.className = outcome.textContent = "";
  try {
    const { verifyCard } = await ask(at("key").value, VERIFY, { input });
    outcome.textContent = said(verifyCard);
    outcome.className = verifyCard.__typename === "CardAccepted" ? "yes" : "no";
  } catch (wrong) {
    outcome.textContent = wrong.message;
  }
  at("scanned").value = "";
  at("scanned").focus();
});
