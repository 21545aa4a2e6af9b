// Bundles GraphiQL, its editor's workers and its styles into dist/, which the hub serves as files.
import { existsSync, readFileSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { build } from "esbuild";

const example = new URL("../docs/querying.graphql", import.meta.url);
const menu = "# Every service on the menu, by category.\nquery Menu {\n  categories {\n    code\n  }\n}\n";

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: {
    main: "src/main.jsx",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  outdir: "dist",
  bundle: true,
  minify: true,
  // One bundle: esbuild does not load the styles of a module that is imported later.
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  legalComments: "linked",
  publicPath: "/graphiql",
  loader: { ".ttf": "file" },
  define: {
    "process.env.NODE_ENV": '"production"',
    EXAMPLE: JSON.stringify(existsSync(example) ? readFileSync(example, "utf8") : menu),
  },
});
await copyFile("src/index.html", "dist/index.html");
