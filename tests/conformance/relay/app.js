// An application of a district's front end as Relay has it: pages, a refetch, a change of a card.
const { deepStrictEqual: equal, ok } = require("node:assert");
const {
  ConnectionHandler,
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getSelector,
} = require("relay-runtime");

// What the compiler made of a document; it reads the documents where they stand.
const graphql = ([text]) => require(`./generated/${/(?:fragment|query|mutation) (\w+)/.exec(text)[1]}.graphql`);
const made = (name) => require(`./generated/${name}.graphql`);

const service = graphql`
  fragment app_service on Service {
    code
    category {
      code
    }
  }
`;

const menu = graphql`
  fragment app_menu on Query
  @refetchable(queryName: "appMenuPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
    menu(first: $first, after: $after) @connection(key: "app_menu") {
      edges {
        node {
          id
          ...app_service
        }
      }
    }
  }
`;

const menuQuery = graphql`
  query appMenuQuery {
    ...app_menu
  }
`;

const detail = graphql`
  fragment app_detail on Service
  @refetchable(queryName: "appDetailRefetchQuery")
  @argumentDefinitions(language: { type: "String", defaultValue: "en" }) {
    code
    name(language: $language) {
      text
    }
  }
`;

const detailQuery = graphql`
  query appDetailQuery($id: ID!) {
    node(id: $id) {
      ...app_detail @alias(as: "service")
    }
  }
`;

const card = graphql`
  fragment app_card on Card {
    serial
    status
  }
`;

const peopleQuery = graphql`
  query appPeopleQuery {
    talents(first: 5) {
      nodes {
        id
        household {
          id
          name
        }
        card {
          id
          ...app_card
        }
      }
    }
  }
`;

const suspend = graphql`
  mutation appSuspendMutation($input: SuspendCardInput!) {
    suspendCard(input: $input) {
      __typename
      ... on CardRecord {
        serial
        status
      }
    }
  }
`;

/** Returns an environment that asks the hub, and what it asked. */
function environment() {
  const asked = [];
  const network = Network.create(async ({ text, name }, variables) => {
    asked.push(name);
    const answer = await fetch(process.env.HUB, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: process.env.BEARER },
      body: JSON.stringify({ query: text, variables }),
    });
    return answer.json();
  });
  // Ids of nodes are of the whole graph, and begin with their type; others are of their own list.
  const getDataID = ({ id }, type) => (id?.startsWith(`${type}:`) ? id : undefined);
  const made = new Environment({ network, store: new Store(new RecordSource()), getDataID });
  return { asked, made };
}

const { asked, made: hub } = environment();
const read = (fragment, reference) => hub.lookup(getSelector(fragment, reference)).data;
const stored = (id) => hub.getStore().getSource().get(id);

/** Fetches a query, and keeps what it gave. */
async function fetched(query, variables = {}) {
  const data = await fetchQuery(hub, query, variables).toPromise();
  hub.retain(createOperationDescriptor(query, variables));
  return data;
}

const checks = {
  async "pages follow on each other in one list"() {
    const root = await fetched(menuQuery);
    for (const first of [20, 20, 15]) {
      const { endCursor: after } = read(menu, root).menu.pageInfo;
      await fetched(made("appMenuPageQuery"), { first, after });
    }
    const { edges, pageInfo } = read(menu, root).menu;
    const ids = edges.map((one) => one.node.id);
    equal(ids.length, 75);
    equal(new Set(ids).size, 75);
    ok(pageInfo.hasNextPage);
    equal(read(service, edges[0].node).code, ids[0].replace("Service:", ""));
    equal(asked, ["appMenuQuery", ...Array(3).fill("appMenuPageQuery")]);
  },

  async "a thing of two queries is one record"() {
    const id = "Service:film-tickets";
    const { node } = await fetched(detailQuery, { id });
    equal(stored(id).__id, id);
    equal(read(detail, node.service).code, "film-tickets");
    equal(stored(id).code, "film-tickets");
    ok(stored("client:root").__typename === "__Root");
  },

  async "a fragment is fetched again by the id of its thing"() {
    const id = "Service:film-tickets";
    const { node } = await fetched(detailQuery, { id });
    const again = await fetched(made("appDetailRefetchQuery"), { id, language: "zh-Hans" });
    ok(read(detail, node.service).name.text !== read(detail, again.node).name.text);
    equal(read(detail, again.node).code, "film-tickets");
  },

  async "a mutation changes what is shown of the thing that it changed"() {
    const { talents } = await fetched(peopleQuery);
    const shown = talents.nodes.map((one) => one.card).find((one) => one && read(card, one).status === "ACTIVE");
    const { serial } = read(card, shown);
    const answer = await new Promise((onCompleted, onError) =>
      commitMutation(hub, {
        mutation: suspend,
        variables: { input: { card: { serial }, reason: "UNDER_REVIEW" } },
        updater: (store) => {
          const changed = store.getRootField("suspendCard").getValue("status");
          store.get(`Card:${serial}`).setValue(changed, "status");
        },
        onCompleted,
        onError,
      }),
    );
    equal(answer.suspendCard.__typename, "CardRecord");
    equal(read(card, shown), { serial, status: "SUSPENDED" });
  },

  async "a connection is found by its key, and a thing can be taken from it"() {
    const root = await fetched(menuQuery);
    const [first] = read(menu, root).menu.edges;
    hub.commitUpdate((store) => {
      ConnectionHandler.deleteNode(ConnectionHandler.getConnection(store.getRoot(), "app_menu"), first.node.id);
    });
    ok(read(menu, root).menu.edges.every((one) => one.node.id !== first.node.id));
  },

  async "what has no id of the whole graph stays where it was given"() {
    const ids = hub.getStore().getSource().getRecordIDs().filter((id) => !id.startsWith("client:"));
    equal(ids.filter((id) => !id.startsWith(`${stored(id).__typename}:`)), []);
    ok(ids.some((id) => id.startsWith("Talent:")) && ids.some((id) => id.startsWith("Card:")));
  },
};

(async () => {
  const { check } = await import("../report.js");
  for (const [name, act] of Object.entries(checks)) await check(name, act);
})();
