// Makes the TypeScript of the documents that app.ts asks, into a folder.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildASTSchema, parse } from "graphql";

const [contract, folder, ...asked] = process.argv.slice(2);
const schema = parse(readFileSync(contract, "utf8"));
const documents = asked.map((location) => {
  const rawSDL = readFileSync(location, "utf8");
  return { location, rawSDL, document: parse(rawSDL) };
});
const files = await preset.buildGeneratesSection({
  baseOutputDir: `${folder}/`,
  schema,
  schemaAst: buildASTSchema(schema, { assumeValidSDL: true }),
  documents,
  config: {
    strictScalars: true,
    importExtension: ".js",
    useTypeImports: true,
    scalars: { Date: "string", DateTime: "string", Decimal: "string", FactValue: "unknown", _Any: "unknown" },
  },
  presetConfig: {},
  plugins: [],
  pluginMap: {},
  pluginContext: {},
});
mkdirSync(folder, { recursive: true });
for (const file of files) {
  writeFileSync(join(folder, file.filename.slice(folder.length)), await codegen(file));
}
