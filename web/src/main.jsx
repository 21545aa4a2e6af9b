// The page behind GET /graphql: GraphiQL, asking the address it was loaded from.
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createRoot } from "react-dom/client";
import "./main.css";

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) =>
    new Worker(`/graphiql/${label === "json" || label === "graphql" ? label : "editor"}.worker.js`),
};

// A token is pasted behind "Bearer "; until then the header says nothing and is not sent.
const headers = '{\n  "authorization": "Bearer "\n}\n';
const isFilled = ([, value]) => value.trim() !== "" && value.trim() !== "Bearer";

async function ask(parameters, { headers: given } = {}) {
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...Object.fromEntries(Object.entries(given ?? {}).filter(isFilled)),
    },
    body: JSON.stringify(parameters),
  });
  return response.json();
}

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={ask}
    defaultQuery={EXAMPLE}
    defaultHeaders={headers}
    defaultEditorToolsVisibility="headers"
  >
    <GraphiQL.Logo>Greenway</GraphiQL.Logo>
  </GraphiQL>,
);
