// The audits of a GraphQL server over HTTP that graphql-http publishes, run against one address.
import { serverAudits } from "graphql-http";

import { tell } from "../report.js";

const [url] = process.argv.slice(2);
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  tell(`${audit.id} ${audit.name}`, result.status === "ok" ? null : result.reason);
}
