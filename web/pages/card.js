// A holder's page: choose a partner and a service, read what it learns, show a code that renews.

import { ask, at, choices } from "./hub.js";

const PARTNERS = `{ me { card { areas { partners {
  code name services { code name { text } } } } } } }`;
const NOTICE = `query ($partner: String!, $service: String!) {
  disclosure(partnerCode: $partner, serviceCode: $service) {
    ... on DisclosureNotice { consentNeeded text digest } ... on Fault { message } } }`;
const PRESENT = `mutation ($input: PresentCardInput!) { presentCard(input: $input) {
  ... on LiveCode { svg renewAfter expiresAt discloses partner { name } }
  ... on Fault { message } } }`;

let partners = new Map();
let notice = null;
let timer = 0;

const token = () => at("token").value;

async function tried(what) {
  at("problem").textContent = "";
  try {
    await what();
  } catch (wrong) {
    hide();
    at("problem").textContent = wrong.message;
  }
}

async function open() {
  const { me } = await ask(token(), PARTNERS);
  if (!me?.card) throw new Error("There is no card to show.");
  const all = me.card.areas.flatMap((area) => area.partners);
  partners = new Map(all.map((one) => [one.code, one]));
  choices(at("partner"), [...partners.values()].map((one) => [one.code, one.name]));
  at("what").hidden = false;
  await chosen();
}

async function chosen() {
  hide();
  const partner = partners.get(at("partner").value);
  const services = partner?.services ?? [];
  choices(at("service"), services.map((one) => [one.code, one.name.text]));
  await read();
}

async function read() {
  hide();
  const variables = { partner: at("partner").value, service: at("service").value };
  const { disclosure } = await ask(token(), NOTICE, variables);
  if (disclosure.message) throw new Error(disclosure.message);
  notice = disclosure;
  at("agree").checked = false;
  at("text").textContent = notice.text;
  at("text").hidden = at("agreement").hidden = !notice.consentNeeded;
}

async function show() {
  clearInterval(timer);
  const input = { partnerCode: at("partner").value, serviceCode: at("service").value };
  if (at("agree").checked) input.agreedTo = notice.digest;
  const { presentCard: live } = await ask(token(), PRESENT, { input });
  if (live.message) throw new Error(live.message);
  at("picture").src = `data:image/svg+xml,${encodeURIComponent(live.svg)}`;
  const told = live.discloses.join(", ").toLowerCase().replaceAll("_", " ") || "nothing";
  at("told").textContent = `${live.partner.name} learns: ${told}.`;
  at("code").hidden = false;
  // The phone's clock may be wrong: only how long the code lives is taken from the hub.
  const half = (Date.parse(live.expiresAt) - Date.parse(live.renewAfter)) / 1000;
  let left = half;
  const tick = () => {
    at("left").textContent = `New code in ${left} s`;
    if (left-- <= 0) tried(show);
  };
  tick();
  timer = setInterval(tick, 1000);
}

function hide() {
  clearInterval(timer);
  at("code").hidden = true;
}

function on(id, event, what) {
  at(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    tried(what);
  });
}

on("who", "submit", open);
on("what", "submit", show);
on("partner", "change", chosen);
on("service", "change", read);
if (location.hash.length > 1) {
  at("token").value = decodeURIComponent(location.hash.slice(1));
  // The token is not to stay in the address, where others see it.
  history.replaceState(null, "", location.pathname);
  tried(open);
}
