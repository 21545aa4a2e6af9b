// What in a contract would break those who ask by an older one, and was not announced in time.
import { readFileSync } from "node:fs";

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema, getNamedType, isAbstractType } from "graphql";

import { tell } from "../report.js";

const [before, after, today] = process.argv.slice(2);
const [old, now] = [before, after].map((path) =>
  buildSchema(readFileSync(path, "utf8"), { assumeValidSDL: true }),
);

// A deprecation has run its course once the day has passed that its reason names.
function isOver(element) {
  const day = /\buntil (\d{4}-\d{2}-\d{2})/.exec(element?.deprecationReason ?? "")?.[1];
  return day !== undefined && day < today;
}

function members(type) {
  return type?.getValues?.() ?? Object.values(type?.getFields?.() ?? {});
}

function at(path) {
  const [typeName, name, argument] = path.split(".");
  const member = members(old.getType(typeName)).find((one) => one.name === name);
  return isOver(member) ? member : (member?.args?.find((one) => one.name === argument) ?? member);
}

// Types are not deprecated: one may go with the last that led to it.
function isLeft(name) {
  const types = Object.values(old.getTypeMap());
  const ways = types.flatMap(members).flatMap((one) => [one, ...(one.args ?? [])]);
  const leads = (way) => way.type && getNamedType(way.type).name === name;
  const stands = (type) => isAbstractType(type) && old.getPossibleTypes(type).some((one) => one.name === name);
  return !types.some(stands) && ways.filter(leads).every(isOver);
}

for (const change of await diff(old, now)) {
  if (change.criticality.level !== CriticalityLevel.Breaking) continue;
  const path = change.path ?? "";
  const spent = change.type === "TYPE_REMOVED" ? isLeft(path) : isOver(at(path));
  if (!spent) tell(path, change.message);
}
