// Asks the hub that served this page, in the name of whoever a token stands for.

export async function ask(token, query, variables) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json",
      authorization: `Bearer ${token.trim()}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors?.length) throw new Error(errors[0].message);
  return data;
}

export const at = (id) => document.getElementById(id);

export function choices(select, entries) {
  select.replaceChildren(...entries.map(([code, name]) => new Option(name, code)));
}
