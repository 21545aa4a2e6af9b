// Runs the tests of Apollo's suite, which are written for Jest, and tells of each.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "expect";
import { check } from "../report.js";

const require = createRequire(import.meta.url);
const root = require.resolve("@apollo/federation-subgraph-compatibility-tests/package.json");
const folder = join(root, "../dist/tests");
const found = [];
let group = "";

const test = (title, act) => found.push({ name: [group, title].filter(Boolean).join(": "), act });
const describe = (title, tell) => {
  group = title;
  tell();
  group = "";
};
Object.assign(globalThis, { describe, expect, it: test, test });

for (const file of readdirSync(folder).filter((name) => name.endsWith(".test.js"))) {
  require(join(folder, file));
}
for (const { name, act } of found) await check(name, act);
